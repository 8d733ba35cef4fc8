#include "node/lease_clock.h"

#include <algorithm>

#include "base/canary.h"
#include "base/check.h"

namespace holdfast::node {

void LeaseClock::start(const lease::LeaseTable& leases, Instant now) {
  stop();
  counting_ = true;
  for (const auto& [id, lease] : leases.all()) {
    if (lease.ending) {
      ending_.insert(id);
    } else {
      granted(id, HOLDFAST_CANARY(new_leader_gives_half_a_ttl) ? lease.ttl / 2 : lease.ttl, now);
    }
  }
}

void LeaseClock::stop() {
  counting_ = false;
  timers_.clear();
  deadlines_.clear();
  undecided_.clear();
  ending_.clear();
}

void LeaseClock::granted(LeaseId lease, milliseconds ttl, Instant now) {
  INVARIANT(counting_, "only a leader counts; a timer set out of office would end a lease early later");
  Timer& timer = timers_[lease];
  timer.ttl = ttl;
  timer.deadline = now + ttl;
  queue(lease, timer);
}

LeaseClock::Renewal LeaseClock::renew(LeaseId lease, Instant now) {
  if (undecided(lease) && !HOLDFAST_CANARY(keepalive_over_an_undecided_expiry)) return Renewal::kUndecided;
  auto found = timers_.find(lease);
  if (found == timers_.end()) return Renewal::kGone;
  found->second.deadline = std::max(found->second.deadline, now + found->second.ttl);
  return Renewal::kRenewed;
}

milliseconds LeaseClock::remaining(LeaseId lease, Instant now) const {
  auto found = timers_.find(lease);
  if (found == timers_.end() || found->second.deadline <= now) return milliseconds(0);
  return std::chrono::duration_cast<milliseconds>(found->second.deadline - now);
}

milliseconds LeaseClock::ttl(LeaseId lease) const {
  auto found = timers_.find(lease);
  return found == timers_.end() ? milliseconds(0) : found->second.ttl;
}

void LeaseClock::end_proposed(LeaseId lease) {
  ++undecided_[lease];
  ending_.erase(lease);
}

void LeaseClock::end_decided(LeaseId lease, const lease::LeaseTable& leases) {
  auto undecided = undecided_.find(lease);
  INVARIANT(undecided != undecided_.end(), "an end was decided that nobody proposed");
  if (--undecided->second == 0) undecided_.erase(undecided);

  auto timer = timers_.find(lease);
  const lease::Lease* known = leases.find(lease);
  if (known && !known->ending) {
    if (timer != timers_.end() && !this->undecided(lease)) queue(lease, timer->second);
    return;
  }
  if (known) ending_.insert(lease);
  if (timer == timers_.end()) return;
  if (timer->second.queued) deadlines_.erase({*timer->second.queued, lease});
  timers_.erase(timer);
}

bool LeaseClock::undecided(LeaseId lease) const { return undecided_.count(lease) > 0; }

std::vector<LeaseId> LeaseClock::to_end(Instant now, std::size_t most) {
  std::vector<LeaseId> ended;
  for (LeaseId lease : ending_) {
    if (ended.size() == most) return ended;
    ended.push_back(lease);
  }
  while (ended.size() < most && !deadlines_.empty() && deadlines_.begin()->first <= now) {
    LeaseId lease = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    Timer& timer = timers_.at(lease);
    timer.queued.reset();
    if (undecided(lease)) continue;  // queued again if it survives that
    if (timer.deadline <= now || HOLDFAST_CANARY(expire_by_the_first_deadline)) {
      ended.push_back(lease);
    } else {
      queue(lease, timer);
    }
  }
  return ended;
}

Instant LeaseClock::next_deadline() const {
  if (!ending_.empty()) return Instant::min();
  return deadlines_.empty() ? kNever : deadlines_.begin()->first;
}

void LeaseClock::queue(LeaseId lease, Timer& timer) {
  if (timer.queued) return;
  timer.queued = timer.deadline;
  deadlines_.emplace(timer.deadline, lease);
}

}  // namespace holdfast::node
