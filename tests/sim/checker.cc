#include "tests/sim/checker.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "tests/sim/roster.h"

namespace holdfast::sim {

namespace {

void add_membership(Digest& digest, const raft::Membership& membership) {
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners}) {
    digest.add(side->size());
    for (const raft::Member& member : *side) {
      digest.add(member.id.value()).add(std::string_view(member.name)).add(std::string_view(member.data_id));
    }
  }
}

}  // namespace

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
  check_memory(member, status, seen);
  check_callers(member, seen);
  if (status.commit != seen.commit) check_commit(member, status, seen);
  check_leader(member, status, seen);
  if (member.disk().issued().base != seen.base) check_membership(member, seen);
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
  const StoredLog& log = member.disk().issued();
  // A leader's own are what it had taken before, and what ends by itself.
  if (!entries.empty() && member.space_low() && member.node()->status().role != raft::Role::kLeader)
    verdict_.fail(Invariant::kDiskSpace, member.name() + ": takes a leader's entries while its space is low");
  if (!entries.empty()) {
    for (Index each = entries.front().index; each <= log.last(); each = each.next()) {
      if (log.find(each)->membership) verdict_.count(Figure::kRolledBack);
    }
  }
  for (const raft::Entry& entry : entries) {
    largest_entry_ = std::max(largest_entry_, entry.payload.size());
    Term previous;
    if (&entry == &entries.front()) {
      previous = member.disk().issued().term_at(Index(entry.index.value() - 1)).value_or(Term());
    } else {
      previous = (&entry - 1)->term;
    }
    Digest digest;
    digest.add(static_cast<std::uint64_t>(entry.kind)).add(entry.payload.view());
    if (entry.membership) {
      add_membership(digest, *entry.membership);
      verdict_.trace(("membership " + describe(*entry.membership)).c_str(), member.name(),
                     entry.index.value(), entry.term.value());
    }
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
  const bool news = oracle_.committed() < commit;
  Index joint;
  while (oracle_.committed() < commit && !verdict_.failure()) {
    const raft::Entry* entry = log.find(oracle_.committed().next());
    if (!entry) {
      verdict_.fail(Invariant::kStateMachineSafety, member.name() + ": commits an entry it does not have");
      return;
    }
    oracle_.commit(*entry);
    if (entry->membership && entry->membership->is_joint()) joint = entry->index;
    if (entry->membership && status.role == raft::Role::kLeader && !entry->membership->is_joint() &&
        !is_voter(*entry->membership, member.id()))
      verdict_.count(Figure::kLeaderRemoved);
    committed_in_ = std::max(committed_in_, status.term);
    committed_in_terms_.push_back(committed_in_);
  }
  if (verdict_.failure()) return;
  if (news) check_quorum(commit, oracle_.entry(commit).term);
  // It is left only once both of its sides have it.
  if (joint && !verdict_.failure()) check_quorum(joint, oracle_.entry(joint).term);
  if (log.base < commit && log.term_at(commit) != oracle_.entry(commit).term) {
    verdict_.fail(Invariant::kStateMachineSafety,
                  member.name() + ": commits another entry at " + std::to_string(commit.value()));
  }
}

/// On the disk on record, that is: what another disk has under that name was promised by nobody. A disk that
/// is lost counts for what it had: its word may be still under way.
bool Checker::is_durable(const raft::Member& voter, Index index, Term term) const {
  const Member* member = find(members_, voter.id);
  const StoredLog* log = member ? member->promised(voter.data_id) : nullptr;
  return log && (log->base >= index || log->term_at(index) == term);
}

/// By the membership in force where the commit index stands: what is below it may have been written under
/// another, but is decided together with it. By log matching, who has the last entry has all.
void Checker::check_quorum(Index index, Term term) {
  const raft::Membership& membership = oracle_.membership_at(index);
  for (const auto* voters : {&membership.voters, &membership.outgoing_voters}) {
    if (voters->empty()) continue;
    auto durable = static_cast<std::size_t>(
        std::count_if(voters->begin(), voters->end(), [&](const raft::Member& voter) {
          // What is decided with it may be what puts a disk on record.
          const raft::Member* recorded = find(oracle_.membership(), voter.id);
          return is_durable(voter, index, term) || (recorded && is_durable(*recorded, index, term));
        }));
    if (durable * 2 > voters->size()) continue;
    verdict_.fail(Invariant::kDurability, "entry " + std::to_string(index.value()) +
                                              " is committed but durable on " + std::to_string(durable) +
                                              " of " + std::to_string(voters->size()) + " voters only" +
                                              (membership.is_joint() ? ", in a joint membership" : ""));
  }
}

/// An image and a compacted log stand for the membership at their index as for the rest of the state.
void Checker::check_membership(const Member& member, Seen& seen) {
  const StoredLog& log = member.disk().issued();
  seen.base = log.base;
  if (log.base > oracle_.committed()) {
    verdict_.fail(Invariant::kStateMachineSafety, member.name() + ": its log begins above what is committed");
  } else if (log.base && log.base_membership != oracle_.membership_at(log.base)) {
    verdict_.fail(Invariant::kStateMachineSafety, member.name() + ": its log begins at " +
                                                      std::to_string(log.base.value()) +
                                                      " with another membership than was in force there");
  }
}

/// What a leader holds for others has a bound that the options name. The last message to a follower may
/// exceed its window, and so may what is proposed while nothing else waits; the leader's own entries always
/// go in.
void Checker::check_memory(const Member& member, const raft::Status& status, Seen& seen) {
  if (status.role != raft::Role::kLeader) {
    seen.uncommitted_bytes = 0;
    return;
  }
  const raft::Options& limits = member.options().raft;
  constexpr std::size_t kOfAnEntry = 1000;  // a membership of nine, and joint
  const std::size_t one_message = std::max(limits.max_append_bytes, largest_entry_ + kOfAnEntry);
  for (const raft::FollowerStatus& follower : member.node()->followers()) {
    if (follower.in_flight > limits.max_appends_in_flight ||
        follower.bytes_in_flight > limits.max_bytes_in_flight + one_message)
      verdict_.fail(Invariant::kBoundedMemory, member.name() + ": more is under way to a follower than may");
  }
  const StoredLog& log = member.disk().issued();
  std::size_t bytes = 0;
  for (Index each = log.last(); each > status.commit; each = each.previous()) {
    const raft::Entry* entry = log.find(each);
    if (entry && entry->term == status.term) bytes += entry->payload.size();
  }
  const bool grew = seen.uncommitted_bytes > 0 && bytes > seen.uncommitted_bytes && seen.leads;
  if (grew && bytes > limits.max_uncommitted_bytes)
    verdict_.fail(Invariant::kBoundedMemory, member.name() + ": more waits to be committed than may");
  seen.uncommitted_bytes = bytes;
}

/// What callers and watchers make a node hold has bounds, and while its space is low it takes nothing more.
void Checker::check_callers(const Member& member, Seen& seen) {
  const node::Held held = member.node()->held();
  const node::Bounds& bounds = member.options().bounds;
  if (held.proposals > bounds.proposals || held.proposal_bytes > bounds.proposal_bytes)
    verdict_.fail(Invariant::kBoundedMemory, member.name() + ": more commands are under way than may");
  if (held.largest_watch_queue_bytes > bounds.watch_queue_bytes)
    verdict_.fail(Invariant::kBoundedMemory, member.name() + ": more waits for a watcher than may");
  if (seen.space_low && member.space_low() && held.proposals_taken > seen.proposals_taken)
    verdict_.fail(Invariant::kDiskSpace, member.name() + ": takes a client's write while its space is low");
  seen.space_low = member.space_low();
  seen.proposals_taken = held.proposals_taken;
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
