#include "raft/election.h"

#include <algorithm>

#include "raft/data_ids.h"
#include "raft/outbox.h"
#include "raft/role.h"

namespace holdfast::raft {

namespace {

template <typename Send>
void ask_voters(Replica& replica, RequestVote request, Send&& send_to) {
  request.last_index = replica.log.last_index();
  request.last_term = replica.log.last_term();
  for (const MemberId id : all_members(replica.membership())) {
    if (id == replica.options.self || !is_voter(replica.membership(), id)) continue;
    request.recorded_data_id = recorded_data_id(replica.membership(), id);
    send_to(id, request);
  }
}

void stand(Replica& replica, bool transfer) {
  become_candidate(replica);
  RequestVote request;
  request.transfer = transfer;
  // Term and own vote first: after a crash it must not vote for another in this term.
  ask_voters(replica, request,
             [&](MemberId id, const RequestVote& asked) { send_after_persist(replica, id, asked); });
}

void conclude(Replica& replica, quorum::Outcome outcome) {
  if (outcome == quorum::Outcome::kPending) return;
  if (outcome == quorum::Outcome::kLost) return become_follower(replica, replica.hard_state.term, MemberId());
  if (std::holds_alternative<PreCandidate>(replica.role)) return stand(replica, false);
  become_leader(replica);
}

/// At random within half a heartbeat interval: those who have the same reason have it at the same moment.
void ask_soon(Replica& replica) {
  replica.suspects = true;
  const auto spread = static_cast<std::uint64_t>(replica.options.heartbeat_interval.count()) / 2;
  const Duration soon(static_cast<Duration::rep>(replica.random.below(spread + 1)));
  replica.election_deadline = std::min(replica.election_deadline, replica.now + soon);
}

}  // namespace

void campaign(Replica& replica) {
  become_pre_candidate(replica);
  RequestVote question;
  question.pre_vote = true;
  const Term would_be = replica.hard_state.term.next();
  if (quorum::count(replica.membership(), std::get<PreCandidate>(replica.role).votes) ==
      quorum::Outcome::kWon)
    return stand(replica, false);
  ask_voters(replica, question,
             [&](MemberId id, const RequestVote& asked) { send_in_term(replica, id, would_be, asked); });
}

void campaign_for_transfer(Replica& replica) { stand(replica, true); }

void suspect(Replica& replica, MemberId member) {
  if (replica.is_leader() || !member || replica.leader != member) return;
  become_follower(replica, replica.hard_state.term, MemberId());
  ask_soon(replica);
}

void look_for_leader(Replica& replica) {
  if (std::holds_alternative<Follower>(replica.role) && !replica.has_known_leader) ask_soon(replica);
}

void record_vote(Replica& replica, MemberId from, bool granted) {
  quorum::Votes* votes = nullptr;
  if (auto* pre_candidate = std::get_if<PreCandidate>(&replica.role)) votes = &pre_candidate->votes;
  if (auto* candidate = std::get_if<Candidate>(&replica.role)) votes = &candidate->votes;
  if (!votes) return;
  votes->emplace(from, granted);
  conclude(replica, quorum::count(replica.membership(), *votes));
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
