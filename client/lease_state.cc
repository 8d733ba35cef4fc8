#include "client/lease_state.h"

#include <algorithm>

#include "client/clock.h"

namespace holdfast::sdk {

LeaseId LeaseState::lease() const {
  std::lock_guard guard(mutex_);
  return lease_;
}

Duration LeaseState::safe_for() const {
  std::lock_guard guard(mutex_);
  Instant at = now();
  return lost_ || at >= safe_until_ ? Duration(0) : safe_until_ - at;
}

std::optional<Error> LeaseState::lost() const {
  std::lock_guard guard(mutex_);
  return lost_;
}

bool LeaseState::wait_lost(Duration limit) const {
  constexpr Duration kLongest = std::chrono::hours(24 * 365);  // the library adds it to a clock
  std::unique_lock guard(mutex_);
  return changed_.wait_for(guard, std::clamp(limit, Duration(0), kLongest),
                           [this]() { return lost_.has_value(); });
}

void LeaseState::extend(Instant safe_until) {
  std::lock_guard guard(mutex_);
  safe_until_ = std::max(safe_until_, safe_until);
}

void LeaseState::renew(LeaseId lease, Instant safe_until) {
  std::lock_guard guard(mutex_);
  lease_ = lease;
  safe_until_ = safe_until;
}

void LeaseState::suspend() {
  std::lock_guard guard(mutex_);
  safe_until_ = Instant::min();
}

void LeaseState::lose(Error why) {
  std::lock_guard guard(mutex_);
  safe_until_ = Instant::min();
  if (!lost_) {
    lost_ = std::move(why);
    changed_.notify_all();
  }
}

}  // namespace holdfast::sdk
