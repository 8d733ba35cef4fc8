#include "base/canary.h"
#include "raft/election.h"
#include "raft/receive.h"

namespace holdfast::raft {

void receive_vote_reply(Replica& replica, MemberId from, Term term, const VoteReply& reply) {
  // An answer to a pre-vote is not a vote, nor the other way round.
  if (HOLDFAST_CANARY(count_a_pre_vote_as_a_vote)) return record_vote(replica, from, reply.granted);
  if (reply.pre_vote != std::holds_alternative<PreCandidate>(replica.role)) return;
  const Term asked_for =
      reply.pre_vote && reply.granted ? replica.hard_state.term.next() : replica.hard_state.term;
  if (term != asked_for) return;
  if (!reply.data_id.empty()) replica.shown_data_ids[from] = reply.data_id;
  record_vote(replica, from, reply.granted);
}

}  // namespace holdfast::raft
