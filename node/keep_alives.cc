#include "node/keep_alives.h"

#include <utility>

namespace holdfast::node {

void KeepAlives::renew(std::vector<LeaseId> leases, Instant deadline, Instant now, Done done) {
  std::uint64_t id = ++last_id_;
  Call call;
  call.deadline = deadline;
  call.answers.reserve(leases.size());
  for (LeaseId lease : leases) {
    call.answers.push_back({lease, milliseconds(0)});
    if (answer(call.answers.back(), now)) continue;
    missing_.emplace(lease, Missing{id, call.answers.size() - 1});
    ++call.undecided;
  }
  if (call.undecided == 0) {
    done(std::move(call.answers));
    return;
  }
  call.done = std::move(done);
  earliest_.note(deadline);
  calls_.emplace(id, std::move(call));
}

void KeepAlives::end_decided(LeaseId lease, Instant now) {
  if (clock_.undecided(lease)) return;  // another end is still on its way
  auto [begin, end] = missing_.equal_range(lease);
  std::vector<Missing> missing;
  for (auto i = begin; i != end; ++i) missing.push_back(i->second);
  missing_.erase(begin, end);

  std::vector<Call> complete;
  for (const Missing& one : missing) {
    auto call = calls_.find(one.call);
    if (call == calls_.end()) continue;  // its time was over
    answer(call->second.answers[one.answer], now);
    if (--call->second.undecided > 0) continue;
    complete.push_back(std::move(call->second));
    calls_.erase(call);
  }
  for (Call& call : complete) call.done(std::move(call.answers));
}

void KeepAlives::expire(Instant now) {
  if (now < earliest_.due()) return;
  earliest_.clear();
  std::vector<Call> overdue;
  for (auto i = calls_.begin(); i != calls_.end();) {
    if (i->second.deadline <= now) {
      overdue.push_back(std::move(i->second));
      i = calls_.erase(i);
    } else {
      earliest_.note((i++)->second.deadline);
    }
  }
  for (Call& call : overdue) {
    call.done(fail(Errc::kUnavailable, "the end of a lease was not decided in time; try again"));
  }
}

void KeepAlives::fail_all(const Error& why) {
  missing_.clear();
  earliest_.clear();
  for (auto& [id, call] : std::exchange(calls_, {})) call.done(fail(why));
}

bool KeepAlives::answer(KeptAlive& answer, Instant now) {
  switch (clock_.renew(answer.lease, now)) {
    case LeaseClock::Renewal::kRenewed:
      answer.ttl = clock_.ttl(answer.lease);
      return true;
    case LeaseClock::Renewal::kGone:
      return true;
    case LeaseClock::Renewal::kUndecided:
      return false;
  }
  return false;
}

}  // namespace holdfast::node
