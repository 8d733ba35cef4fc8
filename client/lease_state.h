#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace holdfast::sdk {

/// What a guard's owner may know of its lease, told by the I/O thread. Thread: any.
class LeaseState {
 public:
  LeaseState(LeaseId lease, Instant safe_until) : lease_(lease), safe_until_(safe_until) {}

  LeaseId lease() const;
  /// Reads the clock itself: it is right also while the I/O thread has not yet woken from a stop.
  bool is_safe() const { return safe_for() > Duration(0); }
  /// Returns: zero if it is not safe.
  Duration safe_for() const;
  std::optional<Error> lost() const;
  /// Waits until it is lost, at most `limit`. Returns: true if it is lost.
  bool wait_lost(Duration limit) const;

  // For the I/O thread.
  void extend(Instant safe_until);
  /// Another lease takes the place of one that ended.
  void renew(LeaseId lease, Instant safe_until);
  /// Nothing is safe until renew(): the lease ended, or was given up.
  void suspend();
  /// As suspend(), for good. Only the first reason counts.
  void lose(Error why);

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_.
  LeaseId lease_;
  Instant safe_until_;
  std::optional<Error> lost_;
};

}  // namespace holdfast::sdk
