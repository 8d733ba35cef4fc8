#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace holdfast::bench {

/// What to do over and over at another service, over connections that are open already. One thread: answers
/// are handed out within turn(), and what is called from there may start the next operation.
class Peer {
 public:
  /// Told why the operation failed; nothing if it succeeded.
  using Done = std::function<void(const std::string& why)>;

  virtual ~Peer() = default;
  /// Once for each lane, before the clock starts.
  virtual void prepare(std::size_t lane, Done done) = 0;
  virtual void once(std::size_t lane, Done done) = 0;
  /// Sends what is gathered, waits a little for answers and hands them out.
  virtual void turn() = 0;
};

}  // namespace holdfast::bench
