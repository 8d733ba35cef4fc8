#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "holdfast/result.h"
#include "holdfast/types.h"

namespace holdfast::client {

struct LockOptions {
  bool queue = true;                      ///< false: try, and be told at once (kLockHeld)
  std::optional<milliseconds> wait = {};  ///< in the queue; none: as long as it takes
  milliseconds ttl =
      std::chrono::seconds(10);  ///< of the lease the lock is held under, kept alive by the client
  std::string owner = {};        ///< a label for people
  /// Asked on the calling thread at least five times a second while lock() blocks; false gives up waiting, as
  /// Client::cancel_waiting_locks() does (kCancelled). For programs of one thread that heed signals.
  std::function<bool()> keep_waiting = {};
  /// Runs once, on the client's executor, if the lock is lost or can no longer be trusted.
  std::function<void(const Error&)> on_lost = {};
};

/// A held lock. Releasing is the destructor's work too; a process that dies releases by its lease's end.
///
/// Nothing can stop a paused process from believing that it still holds a lock: pass token() to whatever the
/// lock protects, and let it refuse tokens smaller than the largest it has seen.
class Lock {
 public:
  Lock(Lock&&) noexcept;
  Lock& operator=(Lock&&) noexcept;
  ~Lock();

  const std::string& name() const;
  std::uint64_t token() const;
  LeaseId lease() const;
  /// True while no other can hold the lock: now is before (send time of the last acknowledged keepalive) +
  /// TTL, less a margin for clocks that run apart.
  bool is_safe() const;
  /// How long is_safe() stays true without a further keepalive; zero if it is not.
  milliseconds safe_for() const;
  /// Waits until the lock is lost, or for at most `limit`. Returns: true if it is lost.
  bool wait_lost(milliseconds limit) const;

  /// Releases and ends the lease. Errors: kNotHolder if it was lost before; kUnknown.
  Result<void> release();

 private:
  friend class Client;
  class Impl;
  explicit Lock(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::client
