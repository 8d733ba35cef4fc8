#include "tests/sim/checker.h"

#include <string>

#include "base/digest.h"

namespace holdfast::sim {

void Checker::after_step(Member& member) {
  if (!member.up() || verdict_.failure()) return;
  raft::Status status = member.node()->status();
  Seen& seen = seen_[member.id()];
  if (seen.incarnation != member.incarnation()) {
    Term before = seen.term;
    seen = {};
    seen.incarnation = member.incarnation();
    // What it forgot in a crash must not have been promised to anybody; what is durable is not forgotten.
    seen.term = std::min(before, member.disk().durable().hard_state.term);
  }
  check_monotone(member, status, seen);
  if (status.commit != seen.commit) check_commit(member, status, seen);
  check_leader(member, status, seen);
  Index applied = member.node()->machine().applied();
  if (applied != seen.applied) check_applied(member, member.node()->machine());
  seen.term = status.term;
  seen.commit = status.commit;
  seen.applied = applied;
}

void Checker::before_send(const Member& member, const raft::Message& message) {
  const StoredLog& log = member.disk().durable();
  // What the disk has of a newer term came later than what this depends on.
  if (log.hard_state.term > message.term) return;
  bool kept = true;
  if (const auto* vote = std::get_if<raft::VoteReply>(&message.body);
      vote && vote->granted && !vote->pre_vote) {
    kept = log.hard_state == raft::HardState{message.term, message.to};
  } else if (const auto* request = std::get_if<raft::RequestVote>(&message.body);
             request && !request->pre_vote) {
    kept = log.hard_state == raft::HardState{message.term, member.id()};
  } else if (const auto* reply = std::get_if<raft::AppendReply>(&message.body); reply && reply->accepted) {
    kept = log.last() >= reply->index && log.hard_state.term >= message.term;
  }
  if (!kept) verdict_.fail(Invariant::kDurability, member.name() + ": says what is not durable on its disk");
}

void Checker::before_write(const Member& member, const std::optional<raft::HardState>& hard_state,
                           const std::vector<raft::Entry>& entries) {
  const raft::HardState& last = member.disk().issued().hard_state;
  if (hard_state && hard_state->term == last.term && last.voted_for &&
      hard_state->voted_for != last.voted_for) {
    verdict_.fail(Invariant::kElectionSafety,
                  member.name() + ": takes its vote in term " + std::to_string(last.term.value()) + " back");
  }
  for (const raft::Entry& entry : entries) {
    Term previous;
    if (&entry == &entries.front()) {
      previous = member.disk().issued().term_at(Index(entry.index.value() - 1)).value_or(Term());
    } else {
      previous = (&entry - 1)->term;
    }
    Digest digest;
    digest.add(static_cast<std::uint64_t>(entry.kind)).add(entry.payload.view());
    Identity identity{digest.value(), previous};
    auto [known, is_new] = entries_.emplace(std::pair(entry.index, entry.term), identity);
    if (!is_new && known->second != identity) {
      verdict_.fail(Invariant::kLogMatching,
                    member.name() + ": logs do not match at " + std::to_string(entry.index.value()));
    }
    // A deposed leader may still write entries of its own where it lacks the committed ones. And who has not
    // heard of the term in which an entry was committed was not counted then: until it does, it may still
    // follow an older leader (seed 2131: the append of one came late to a member that had stood still).
    if (entry.index > oracle_.committed()) continue;
    if (member.node()->status().term < committed_in_terms_[entry.index.value() - 1]) continue;
    Term committed = oracle_.entry(entry.index).term;
    if (entry.term != committed && member.disk().issued().term_at(entry.index) == committed) {
      verdict_.fail(Invariant::kLeaderCompleteness, member.name() + ": overwrites the committed entry " +
                                                        std::to_string(entry.index.value()) + " of term " +
                                                        std::to_string(committed.value()) +
                                                        " with one of term " +
                                                        std::to_string(entry.term.value()));
    }
  }
}

void Checker::check_monotone(const Member& member, const raft::Status& status, Seen& seen) {
  if (status.term < seen.term) verdict_.fail(Invariant::kMonotone, member.name() + ": its term went back");
  if (status.commit < seen.commit)
    verdict_.fail(Invariant::kMonotone, member.name() + ": its commit index went back");
  if (member.node()->machine().applied() < seen.applied) {
    verdict_.fail(Invariant::kMonotone, member.name() + ": its applied index went back");
  }
}

void Checker::check_leader(const Member& member, const raft::Status& status, Seen& seen) {
  bool leads = status.role == raft::Role::kLeader;
  bool elected = leads && (!seen.leads || seen.term != status.term);
  seen.leads = leads;
  if (!leads) return;
  auto [leader, is_new] = leaders_.emplace(status.term, member.id());
  if (leader->second != member.id()) {
    verdict_.fail(Invariant::kElectionSafety, "two leaders in term " + std::to_string(status.term.value()));
  }
  // Leader completeness; with log matching, the last committed entry stands for all. It binds newer terms
  // only: the votes of an older one may arrive late (seed 1237). Ref: Raft §5.4
  Index last = oracle_.committed();
  if (!elected || !last || status.term <= committed_in_) return;
  const StoredLog& log = member.disk().issued();
  if (log.base < last && log.term_at(last) != oracle_.entry(last).term) {
    verdict_.fail(Invariant::kLeaderCompleteness,
                  member.name() + ": leads without the committed entry " + std::to_string(last.value()));
  }
}

void Checker::check_commit(const Member& member, const raft::Status& status, const Seen& seen) {
  Index commit = status.commit;
  const StoredLog& log = member.disk().issued();
  const bool led = status.role == raft::Role::kLeader && seen.leads && seen.term == status.term;
  if (led && log.term_at(commit) != status.term) {
    // Ref: Raft §5.4.2
    verdict_.fail(Invariant::kLeaderCompleteness,
                  member.name() + ": commits an entry of an older term by counting");
  }
  while (oracle_.committed() < commit && !verdict_.failure()) {
    const raft::Entry* entry = log.find(oracle_.committed().next());
    if (!entry) {
      verdict_.fail(Invariant::kStateMachineSafety, member.name() + ": commits an entry it does not have");
      return;
    }
    check_quorum(entry->index, entry->term);
    oracle_.commit(*entry);
    committed_in_ = std::max(committed_in_, status.term);
    committed_in_terms_.push_back(committed_in_);
  }
  if (verdict_.failure()) return;
  if (log.base < commit && log.term_at(commit) != oracle_.entry(commit).term) {
    verdict_.fail(Invariant::kStateMachineSafety,
                  member.name() + ": commits another entry at " + std::to_string(commit.value()));
  }
}

void Checker::check_quorum(Index index, Term term) {
  std::size_t durable = 0;
  std::size_t voters = 0;
  for (const auto& member : members_) {
    if (!member->votes()) continue;
    ++voters;
    const StoredLog& log = member->disk().durable();
    if (log.base >= index || log.term_at(index) == term) ++durable;
  }
  if (durable * 2 <= voters) {
    verdict_.fail(Invariant::kDurability, "entry " + std::to_string(index.value()) +
                                              " is committed but durable on " + std::to_string(durable) +
                                              " of " + std::to_string(voters) + " voters only");
  }
}

void Checker::check_applied(const Member& member, const state::Machine& machine) {
  if (machine.applied() > oracle_.committed()) {
    verdict_.fail(Invariant::kStateMachineSafety, member.name() + ": applied what is not committed");
    return;
  }
  if (machine.applied() && machine.digest() != oracle_.digest_at(machine.applied())) {
    verdict_.fail(Invariant::kStateMachineSafety,
                  member.name() + ": its state differs at " + std::to_string(machine.applied().value()));
  }
}

}  // namespace holdfast::sim
