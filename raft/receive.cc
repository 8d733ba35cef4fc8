#include "raft/receive.h"

#include "raft/election.h"
#include "raft/outbox.h"
#include "raft/overloaded.h"
#include "raft/role.h"
#include "raft/well_formed.h"

namespace holdfast::raft {

namespace {

bool is_pre_vote_question(const Message& message) {
  const auto* request = std::get_if<RequestVote>(&message.body);
  return request && request->pre_vote;
}

bool is_pre_vote_granted(const Message& message) {
  const auto* reply = std::get_if<VoteReply>(&message.body);
  return reply && reply->pre_vote && reply->granted;
}

/// While a leader is live, nobody deposes it by asking for votes; unless it sent the candidate itself.
bool would_disrupt(const Replica& replica, const Message& message) {
  const auto* request = std::get_if<RequestVote>(&message.body);
  return request && !request->pre_vote && !request->transfer && leader_is_live(replica);
}

/// Whoever asks from an older term must hear of the newer one, or it could ask for ever while its log is the
/// one that is needed, or hold on to a leadership that is over.
void tell_newer_term(Replica& replica, const Message& message) {
  if (const auto* request = std::get_if<RequestVote>(&message.body))
    send(replica, message.from, VoteReply{request->pre_vote, false});
  if (const auto* append = std::get_if<AppendEntries>(&message.body))
    send(replica, message.from, AppendReply{false, append->previous_index, Index(), Term(), append->round});
}

/// Returns: is the message to be handled in what is now the current term?
bool settle_term(Replica& replica, const Message& message) {
  const Term current = replica.hard_state.term;
  if (message.term < current) {
    tell_newer_term(replica, message);
    return false;
  }
  // A pre-vote speaks of a term that nobody has entered.
  if (message.term == current || is_pre_vote_question(message) || is_pre_vote_granted(message)) return true;
  if (would_disrupt(replica, message)) return false;
  become_follower(replica, message.term, MemberId());
  return true;
}

}  // namespace

void receive(Replica& replica, const Message& message) {
  const MemberId self = replica.options.self;
  const MemberId from = message.from;
  if (message.to != self || from == self || !is_member(replica.membership, from)) return;
  if (!well_formed(message) || !settle_term(replica, message)) return;
  std::visit(Overloaded{
                 [&](const RequestVote& body) { receive_request_vote(replica, from, message.term, body); },
                 [&](const VoteReply& body) { receive_vote_reply(replica, from, message.term, body); },
                 [&](const AppendEntries& body) { receive_append_entries(replica, from, body); },
                 [&](const AppendReply& body) { receive_append_reply(replica, from, body); },
                 [&](const TimeoutNow&) { receive_timeout_now(replica, from); },
                 [](const auto&) {},
             },
             message.body);
}

}  // namespace holdfast::raft
