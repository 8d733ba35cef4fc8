#include "tests/sim/oracle.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "raft/quorum.h"

namespace holdfast::sim {

void Oracle::found(raft::Membership founders) {
  settled_ = founders;
  memberships_[Index()] = std::make_shared<const raft::Membership>(std::move(founders));
}

void Oracle::commit(const raft::Entry& entry) {
  entries_.push_back(entry);
  if (entry.membership) change(entry);
  if (entry.kind == raft::EntryKind::kCommand) {
    apply(entry);
  } else {
    if (entry.membership) {
      machine_.apply_membership(entry.index, raft::all_members(*entry.membership));
    } else {
      machine_.skip(entry.index);
    }
  }
  digests_.push_back(machine_.digest());
}

void Oracle::change(const raft::Entry& entry) {
  memberships_[entry.index] = entry.membership;
  const raft::Membership& now = *entry.membership;
  if (now.is_joint()) return;
  auto among = [](const std::vector<raft::Member>& members, const raft::Member& one) {
    return std::any_of(members.begin(), members.end(),
                       [&](const raft::Member& member) { return member.id == one.id; });
  };
  auto in = [&](const raft::Membership& membership, const raft::Member& one) {
    return among(membership.voters, one) || among(membership.learners, one);
  };
  bool voters_came = false;
  bool voters_went = false;
  for (const raft::Member& voter : now.voters) {
    if (among(settled_.voters, voter)) continue;
    verdict_.count(Figure::kPromoted);
    voters_came = true;
  }
  for (const raft::Member& learner : now.learners) {
    if (!in(settled_, learner)) verdict_.count(Figure::kAdded);
  }
  for (const auto* side : {&settled_.voters, &settled_.learners}) {
    for (const raft::Member& member : *side) {
      voters_went |= side == &settled_.voters && !among(now.voters, member);
      if (!in(now, member)) verdict_.count(Figure::kRemoved);
    }
  }
  if (voters_came && voters_went) verdict_.count(Figure::kReplaced);
  settled_ = now;
}

void Oracle::apply(const raft::Entry& entry) {
  Result<state::Command> command = state::decode(entry.payload);
  if (!command) {
    verdict_.fail(Invariant::kStateMachineSafety,
                  "a committed command cannot be read: " + command.error().message);
    return;
  }
  if (const auto* end = std::get_if<state::EndLeases>(&command->operation)) check_expiry(end->leases);
  state::Applied applied = machine_.apply(entry.index, entry.payload);
  if (const auto* revoke = std::get_if<state::RevokeLease>(&command->operation)) {
    Lease& lease = leases_[revoke->lease];
    if (!machine_.leases().is_live(revoke->lease)) lease.over = std::min(lease.over, schedule_.now());
  }
  check_once(*command, applied);
  check_condition(*command, applied);
  check_beliefs();
  for (const state::Event& event : applied.events) {
    if (const auto* change = std::get_if<config::Change>(&event)) check_change(*change);
    if (const auto* change = std::get_if<lock::Change>(&event)) check_lock(*change);
  }
}

void Oracle::check_once(const state::Command& command, const state::Applied& applied) {
  if (!command.stamp.session || !applied.fresh || !applied.reply) return;
  if (!ran_.insert({command.stamp.session, command.stamp.sequence}).second) {
    verdict_.fail(Invariant::kExactlyOnce, "command " + std::to_string(command.stamp.sequence) +
                                               " of session " +
                                               std::to_string(command.stamp.session.value()) + " ran twice");
  }
}

void Oracle::check_condition(const state::Command& command, const state::Applied& applied) {
  const auto* put = std::get_if<config::Put>(&command.operation);
  if (!put || !put->expected || !applied.fresh || !applied.reply) return;
  auto latest = keys_.find(put->key);
  Revision present = latest == keys_.end() ? Revision() : latest->second;
  if (present != *put->expected) {
    verdict_.fail(Invariant::kConditionalWrite, "a write took effect against its condition: " + put->key);
  }
}

void Oracle::check_expiry(const std::vector<LeaseId>& leases) {
  for (LeaseId id : leases) {
    if (!machine_.leases().is_live(id)) continue;
    Lease& lease = leases_[id];
    lease.expired = schedule_.now();
    lease.over = lease.expired;
    if (lease.safe_until > lease.expired) {
      verdict_.fail(Invariant::kLeaseLowerBound,
                    "lease " + std::to_string(id.value()) + " expired before its time");
    }
  }
}

void Oracle::lease_acknowledged(LeaseId id, Instant arrived, milliseconds ttl) {
  Lease& lease = leases_[id];
  if (arrived > lease.over) {
    verdict_.fail(Invariant::kDeadLease,
                  "lease " + std::to_string(id.value()) + " was kept alive after its end");
  }
  // A millisecond for the rounding of the members' clocks.
  Duration at_least = Duration(ttl) * 1000 / (1000 + kMostDriftPermille) - milliseconds(1);
  lease.safe_until = std::max(lease.safe_until, arrived + at_least);
  if (lease.safe_until > lease.expired) {
    verdict_.fail(Invariant::kLeaseLowerBound,
                  "lease " + std::to_string(id.value()) + " was prolonged over its own end");
  }
}

void Oracle::holder_believes(const std::string& lock, Token token, std::function<bool()> safe) {
  beliefs_[token] = {lock, std::move(safe)};
  check_beliefs();
}

void Oracle::check_beliefs() {
  for (const auto& [token, belief] : beliefs_) {
    const lock::Lock* lock = machine_.locks().find(belief.lock);
    bool holds = lock && lock->holders.count(token) != 0;
    if (!holds && belief.safe())
      verdict_.fail(Invariant::kMutualExclusion,
                    "a holder of " + belief.lock + " is sure of it after its end");
  }
}

void Oracle::check_lock(const lock::Change& change) {
  Claims& claims = locks_[change.lock];
  auto in_queue = std::find(claims.queue.begin(), claims.queue.end(), change.lease);
  switch (change.type) {
    case lock::ChangeType::kQueued:
      if (in_queue != claims.queue.end())
        verdict_.fail(Invariant::kQueueOrder, "queued twice at " + change.lock);
      claims.queue.push_back(change.lease);
      return;
    case lock::ChangeType::kGranted:
      if (claims.holder) verdict_.fail(Invariant::kMutualExclusion, "two hold " + change.lock);
      if (change.token <= last_token_)
        verdict_.fail(Invariant::kTokenOrder, "the tokens do not increase at " + change.lock);
      if (!claims.queue.empty() && claims.queue.front() != change.lease) {
        verdict_.fail(Invariant::kQueueOrder, "somebody overtook the first waiter of " + change.lock);
      }
      if (!machine_.leases().is_live(change.lease))
        verdict_.fail(Invariant::kDeadLease, "a dead lease was granted " + change.lock);
      if (in_queue != claims.queue.end()) claims.queue.erase(in_queue);
      claims.holder = change.lease;
      last_token_ = std::max(last_token_, change.token);
      return;
    case lock::ChangeType::kReleased:
      if (claims.holder != change.lease)
        verdict_.fail(Invariant::kMutualExclusion, "released by another than the holder: " + change.lock);
      claims.holder = LeaseId();
      return;
    default:
      break;
  }
  // A wait that a newer attempt takes over keeps its place.
  const lock::Lock* lock = machine_.locks().find(change.lock);
  bool still_waits = false;
  if (lock) {
    for (const auto& [ticket, waiter] : lock->queue.waiters()) still_waits |= waiter.lease == change.lease;
  }
  if (!still_waits && in_queue != claims.queue.end()) claims.queue.erase(in_queue);
}

void Oracle::check_change(const config::Change& change) {
  if (!changes_.empty() && change.revision() < changes_.back().revision()) {
    verdict_.fail(Invariant::kMonotone, "a revision went back");
  }
  changes_.push_back(change);
  Revision& latest = keys_[std::string(change.key())];
  latest = change.is_put() ? change.revision() : Revision();
  if (!change.is_put()) return;
  if (change.lease() && !machine_.leases().is_live(change.lease())) {
    verdict_.fail(Invariant::kDeadLease, "a key was attached to a dead lease: " + std::string(change.key()));
  }
  std::string value(change.value());
  if (refused_.count(value))
    verdict_.fail(Invariant::kHonestOutcome, "a write took effect although it was refused: " + value);
  if (!written_.emplace(value, change.revision()).second)
    verdict_.fail(Invariant::kExactlyOnce, "written twice: " + value);
}

void Oracle::write_acknowledged(const std::string& value, Revision revision) {
  auto found = written_.find(value);
  if (found == written_.end() || found->second != revision) {
    verdict_.fail(Invariant::kHonestOutcome, "an acknowledged write is not in the log: " + value);
  }
  revision_seen(revision);
}

void Oracle::write_refused(const std::string& value) {
  refused_.insert(value);
  if (written_.count(value))
    verdict_.fail(Invariant::kHonestOutcome, "a write took effect although it was refused: " + value);
}

}  // namespace holdfast::sim
