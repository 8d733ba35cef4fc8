#include "node/grants.h"

#include <utility>

namespace holdfast::node {

namespace {

Error taken_over(const std::string& lock) {
  return {Errc::kCancelled,
          "a newer attempt of the same lease for lock '" + lock + "' took this one's place",
          {}};
}

Result<Grant> outcome_of(const lock::Change& change) {
  switch (change.type) {
    case lock::ChangeType::kGranted:
      return Grant{change.token, change.revision};
    case lock::ChangeType::kWaitTimedOut:
      return fail(Errc::kWaitTimedOut, "the time to wait for lock '" + change.lock + "' is over");
    case lock::ChangeType::kLeaseEnded:
      return fail(Errc::kLeaseNotFound, "the lease ended while it waited for lock '" + change.lock + "'");
    default:
      return fail(Errc::kCancelled, "the wait for lock '" + change.lock + "' was cancelled");
  }
}

}  // namespace

std::uint64_t Grants::await(std::string lock, LeaseId lease, std::uint64_t attempt, Done done) {
  Claim claim(std::move(lock), lease);
  std::vector<Waiting> older = attempt > 0 ? take(claim, attempt - 1) : std::vector<Waiting>();
  std::uint64_t id = ++last_id_;
  by_id_.emplace(id, claim);
  std::string name = claim.first;
  waiting_.emplace(std::move(claim), Waiting{id, attempt, std::move(done)});
  for (Waiting& waiting : older) waiting.done(fail(taken_over(name)));
  return id;
}

void Grants::forget(std::uint64_t id) {
  auto claim = by_id_.find(id);
  if (claim == by_id_.end()) return;
  auto [i, end] = waiting_.equal_range(claim->second);
  while (i != end && i->second.id != id) ++i;
  if (i != end) waiting_.erase(i);
  by_id_.erase(claim);
}

void Grants::on_change(const lock::Change& change) {
  if (waiting_.empty()) return;
  Claim claim(change.lock, change.lease);
  if (change.type == lock::ChangeType::kQueued) {
    // The claim waits under this attempt now: those of older attempts were taken over.
    if (change.attempt == 0) return;
    for (Waiting& waiting : take(claim, change.attempt - 1)) waiting.done(fail(taken_over(change.lock)));
    return;
  }
  for (Waiting& waiting : take(claim, change.attempt)) {
    if (waiting.attempt < change.attempt) {
      waiting.done(fail(taken_over(change.lock)));
    } else {
      waiting.done(outcome_of(change));
    }
  }
}

void Grants::fail_all(const Error& error) {
  by_id_.clear();
  for (auto& [claim, waiting] : std::exchange(waiting_, {})) waiting.done(fail(error));
}

std::vector<Grants::Waiting> Grants::take(const Claim& claim, std::uint64_t newest) {
  std::vector<Waiting> taken;
  auto [i, end] = waiting_.equal_range(claim);
  while (i != end) {
    if (i->second.attempt <= newest) {
      by_id_.erase(i->second.id);
      taken.push_back(std::move(i->second));
      i = waiting_.erase(i);
    } else {
      ++i;
    }
  }
  return taken;
}

}  // namespace holdfast::node
