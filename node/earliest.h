#pragma once

#include <algorithm>

#include "base/time.h"

/// When the first of many calls is over, without a timer for each: a sweep over those that wait finds who is
/// overdue and counts anew. Calls end up to kSlack late, so that many deadlines cost few sweeps.
namespace holdfast::node {

class Earliest {
 public:
  static constexpr Duration kSlack = milliseconds(10);

  void note(Instant deadline) {
    if (deadline != kNever) due_ = std::min(due_, deadline + kSlack);
  }
  void clear() { due_ = kNever; }
  /// When a sweep is due; kNever: nobody waits.
  Instant due() const { return due_; }

 private:
  Instant due_ = kNever;
};

}  // namespace holdfast::node
