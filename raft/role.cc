#include "raft/role.h"

#include <utility>

#include "base/canary.h"
#include "base/check.h"
#include "raft/data_ids.h"
#include "raft/replication.h"

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
  // Half of it is many times what an election takes, so two seldom stand at the same moment; more would only
  // be waited for.
  const auto extra = replica.random.below(static_cast<std::uint64_t>(timeout.count()) / 2);
  replica.election_deadline = replica.now + timeout + Duration(static_cast<Duration::rep>(extra));
}

bool disk_is_stalled(const Replica& replica) {
  const std::optional<Instant> since = replica.persistence.waiting_since();
  return since && replica.now - *since >= replica.options.election_timeout;
}

namespace {

/// A voter; or one whose removal stands in its log and is not known to be committed. Only it may have that
/// entry: the others, who count by the membership before, need its vote and would not get it, since its log
/// is longer. So it finishes its own removal, elected by those who stay. Ref: Diss. §4.2.2
bool is_needed(const Replica& replica) {
  return replica.log.memberships().newest_since(replica.commit, [&](const Membership& membership) {
    return is_voter(membership, replica.options.self);
  }) != nullptr;
}

}  // namespace

bool may_campaign(const Replica& replica) {
  // A leader appends, and while an image is being installed nothing may be appended.
  return is_needed(replica) && may_stand(replica) && !replica.installing && !disk_is_stalled(replica);
}

void become_follower(Replica& replica, Term term, MemberId leader) {
  INVARIANT(term >= replica.hard_state.term, "the term went back");
  leave_leadership(replica);
  if (term > replica.hard_state.term) enter_term(replica, term, MemberId());
  if (HOLDFAST_CANARY(forget_the_vote_when_following))
    enter_term(replica, replica.hard_state.term, MemberId());
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
  // Those who lost the same leader at the same moment easily split their votes; once, they need not wait
  // long.
  if (std::exchange(replica.suspects, false))
    replica.election_deadline = replica.now + (replica.election_deadline - replica.now) / 4;
}

void become_leader(Replica& replica) {
  INVARIANT(std::holds_alternative<Candidate>(replica.role), "only a candidate becomes the leader");
  const Index first = replica.log.last_index().next();
  Leader leader;
  for (const MemberId id : all_members(replica.membership()))
    if (id != replica.options.self) leader.followers.emplace(id, Progress(first, replica.now));
  leader.first_of_term = first;
  leader.uncommitted_bytes = bytes_behind_commit(replica);
  leader.next_heartbeat = replica.now + replica.options.heartbeat_interval;
  leader.heartbeat_due = true;
  replica.role = std::move(leader);
  replica.leader = replica.options.self;
  replica.has_known_leader = true;
  // In front of the no-op: the first entry of a cluster's log must say whose data counts, and this leader
  // knows it of all who elected it. So there is a majority on record wherever there is a log at all; members
  // that had the no-op and not this knowledge could elect nobody, for ever.
  record_data_ids(replica);
  append_as_leader(replica,
                   {replica.hard_state.term, replica.log.last_index().next(), EntryKind::kNoop, Blob()});
}

}  // namespace holdfast::raft
