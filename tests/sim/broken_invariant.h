#pragma once

#include <stdexcept>

namespace holdfast::sim {

/// Where production code would end its process: INVARIANT found that it is wrong. Ends the run instead.
class BrokenInvariant : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace holdfast::sim
