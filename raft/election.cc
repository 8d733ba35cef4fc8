#include "raft/election.h"

#include "raft/outbox.h"
#include "raft/role.h"

namespace holdfast::raft {

namespace {

template <typename Send>
void ask_voters(Replica& replica, Send&& send_to) {
  for (const MemberId id : all_members(replica.membership))
    if (id != replica.options.self && is_voter(replica.membership, id)) send_to(id);
}

void stand(Replica& replica, bool transfer) {
  become_candidate(replica);
  const RequestVote request{false, transfer, replica.log.last_index(), replica.log.last_term()};
  // Term and own vote first: after a crash it must not vote for another in this term.
  ask_voters(replica, [&](MemberId id) { send_after_persist(replica, id, request); });
}

void conclude(Replica& replica, quorum::Outcome outcome) {
  if (outcome == quorum::Outcome::kPending) return;
  if (outcome == quorum::Outcome::kLost) return become_follower(replica, replica.hard_state.term, MemberId());
  if (std::holds_alternative<PreCandidate>(replica.role)) return stand(replica, false);
  become_leader(replica);
}

}  // namespace

void campaign(Replica& replica) {
  become_pre_candidate(replica);
  const RequestVote question{true, false, replica.log.last_index(), replica.log.last_term()};
  const Term would_be = replica.hard_state.term.next();
  if (quorum::count(replica.membership, std::get<PreCandidate>(replica.role).votes) == quorum::Outcome::kWon)
    return stand(replica, false);
  ask_voters(replica, [&](MemberId id) { send_in_term(replica, id, would_be, question); });
}

void campaign_for_transfer(Replica& replica) { stand(replica, true); }

void record_vote(Replica& replica, MemberId from, bool granted) {
  quorum::Votes* votes = nullptr;
  if (auto* pre_candidate = std::get_if<PreCandidate>(&replica.role)) votes = &pre_candidate->votes;
  if (auto* candidate = std::get_if<Candidate>(&replica.role)) votes = &candidate->votes;
  if (!votes) return;
  votes->emplace(from, granted);
  conclude(replica, quorum::count(replica.membership, *votes));
}

void record_own_vote(Replica& replica) {
  if (std::holds_alternative<Candidate>(replica.role) && replica.persistence.hard_state_durable())
    record_vote(replica, replica.options.self, true);
}

bool leader_is_live(const Replica& replica) {
  if (replica.is_leader()) return true;
  return replica.leader && replica.now - replica.heard_from_leader < replica.options.election_timeout;
}

}  // namespace holdfast::raft
