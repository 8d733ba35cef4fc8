#include "base/canary.h"
#include "raft/data_ids.h"
#include "raft/election.h"
#include "raft/outbox.h"
#include "raft/receive.h"
#include "raft/role.h"

namespace holdfast::raft {

namespace {

/// Would this member vote so, if it came to it? Changes nothing, and nothing of it lasts.
void answer_pre_vote(Replica& replica, MemberId from, Term term, const RequestVote& question) {
  const bool grant = term > replica.hard_state.term && !leader_is_live(replica) &&
                     (replica.log.covered_by(question.last_index, question.last_term) ||
                      HOLDFAST_CANARY(vote_for_a_shorter_log)) &&
                     may_help(replica, question);
  // Granted, it echoes the term asked for, which is how the asker knows what the answer belongs to. Refused,
  // it carries this member's own, in case that is news.
  if (grant)
    send_in_term(replica, from, term, VoteReply{true, true});
  else
    send(replica, from, VoteReply{true, false});
}

}  // namespace

/// Whoever asks is answered, member or not, voter here or not: the candidate's log may know of a membership
/// that this one has not heard of yet, and may be unable to win without this vote. It is the candidate that
/// counts by its own membership. Ref: Raft §6
void receive_request_vote(Replica& replica, MemberId from, Term term, const RequestVote& request) {
  if (request.pre_vote) return answer_pre_vote(replica, from, term, request);
  HardState& hard_state = replica.hard_state;
  const bool free_to_vote = (!replica.leader && (!hard_state.voted_for || hard_state.voted_for == from)) ||
                            HOLDFAST_CANARY(vote_twice_in_a_term);
  const bool covers = replica.log.covered_by(request.last_index, request.last_term) ||
                      HOLDFAST_CANARY(vote_for_a_shorter_log);
  if (!free_to_vote || !covers || !may_help(replica, request))
    return send(replica, from, VoteReply{false, false});
  if (!hard_state.voted_for) {
    hard_state.voted_for = from;
    replica.hard_state_changed = true;
  }
  postpone_election(replica);
  if (HOLDFAST_CANARY(vote_without_persisting)) return send(replica, from, VoteReply{false, true, {}});
  const bool founds = !request.last_index;
  send_after_persist(replica, from, VoteReply{false, true, founds ? replica.options.data_id : std::string()});
}

}  // namespace holdfast::raft
