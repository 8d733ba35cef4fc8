#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/time.h"

namespace holdfast::chaos {

/// Microseconds of the machine's monotonic clock, the same in all of its processes.
inline std::int64_t clock_now() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A flag that threads wait for: the end of a run. Thread: any.
class Stop {
 public:
  void set() {
    const std::lock_guard guard(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool is_set() const {
    const std::lock_guard guard(mutex_);
    return set_;
  }
  /// Lets time pass. Returns: true at once when the flag is set.
  bool wait_for(Duration limit) const {
    std::unique_lock guard(mutex_);
    return changed_.wait_for(guard, limit, [this] { return set_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool set_ = false;
};

/// Asks again and again until the condition holds. Returns: false if it does not within `limit`.
inline bool wait_until(const std::function<bool()>& condition, milliseconds limit) {
  const Stop never;
  const std::int64_t deadline = clock_now() + Duration(limit).count();
  while (!condition()) {
    if (clock_now() >= deadline) return false;
    never.wait_for(milliseconds(20));
  }
  return true;
}

}  // namespace holdfast::chaos
