#include "node/leader_waiters.h"

#include <utility>

namespace holdfast::node {

void LeaderWaiters::add(Instant deadline, Done done) {
  waiting_.push_back({deadline, std::move(done)});
  earliest_.note(deadline);
}

void LeaderWaiters::tell(const LeaderInfo& leader) {
  earliest_.clear();
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.done(leader);
}

void LeaderWaiters::expire(Instant now) {
  if (now < earliest_.due()) return;
  earliest_.clear();
  std::vector<Waiting> overdue;
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (waiting.deadline <= now) {
      overdue.push_back(std::move(waiting));
    } else {
      add(waiting.deadline, std::move(waiting.done));
    }
  }
  for (Waiting& waiting : overdue) {
    waiting.done(fail(Errc::kUnavailable, "no leader was known in time; try again or another member"));
  }
}

void LeaderWaiters::fail_all(const Error& why) {
  earliest_.clear();
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.done(fail(why));
}

}  // namespace holdfast::node
