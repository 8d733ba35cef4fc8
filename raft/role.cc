#include "raft/role.h"

#include "base/check.h"

namespace holdfast::raft {

namespace {

void enter_term(Replica& replica, Term term, MemberId voted_for) {
  const HardState entered{term, voted_for};
  replica.hard_state_changed |= replica.hard_state != entered;
  replica.hard_state = entered;
}

/// Whoever asked hears that the answer is not known.
void leave_leadership(Replica& replica) {
  Leader* leader = replica.leading();
  if (!leader) return;
  for (const std::uint64_t id : leader->reads.give_up()) replica.output.unconfirmed.push_back(id);
  postpone_election(replica);  // a leader has none
}

}  // namespace

void postpone_election(Replica& replica) {
  const Duration timeout = replica.options.election_timeout;
  const auto extra = replica.random.below(static_cast<std::uint64_t>(timeout.count()));
  replica.election_deadline = replica.now + timeout + Duration(static_cast<Duration::rep>(extra));
}

bool may_campaign(const Replica& replica) { return is_voter(replica.membership, replica.options.self); }

void become_follower(Replica& replica, Term term, MemberId leader) {
  INVARIANT(term >= replica.hard_state.term, "the term went back");
  leave_leadership(replica);
  if (term > replica.hard_state.term) enter_term(replica, term, MemberId());
  replica.role = Follower();
  replica.leader = leader;
}

void become_pre_candidate(Replica& replica) {
  INVARIANT(!replica.is_leader(), "a leader does not campaign");
  replica.role = PreCandidate{{{replica.options.self, true}}};
  replica.leader = MemberId();
  postpone_election(replica);
}

void become_candidate(Replica& replica) {
  INVARIANT(!replica.is_leader(), "a leader does not campaign");
  enter_term(replica, replica.hard_state.term.next(), replica.options.self);
  replica.role = Candidate();  // its own vote counts once it is durable
  replica.leader = MemberId();
  postpone_election(replica);
}

void become_leader(Replica& replica) {
  INVARIANT(std::holds_alternative<Candidate>(replica.role), "only a candidate becomes the leader");
  const Index first = replica.log.last_index().next();
  Leader leader;
  for (const MemberId id : all_members(replica.membership))
    if (id != replica.options.self) leader.followers.emplace(id, Progress(first, replica.now));
  leader.first_of_term = first;
  leader.next_heartbeat = replica.now + replica.options.heartbeat_interval;
  leader.heartbeat_due = true;
  replica.role = std::move(leader);
  replica.leader = replica.options.self;
  replica.log.append({replica.hard_state.term, first, EntryKind::kNoop, Blob()});
}

}  // namespace holdfast::raft
