#include "raft/receive.h"

#include "raft/data_ids.h"
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

/// Questions and a leader's word are heard from whoever is of this cluster, which the handshake sees to: a
/// member that was added, or a leader with a newer membership, may be one that this log does not know yet, or
/// knows only with the disk it had before it was removed and taken in again; and a joining server knows
/// nobody. Answers are heard only from those who are asked, and from the disk that is on record: a removed
/// server with a high term must not depose a leader by answering it. Ref: Raft §6
bool is_heard(const Replica& replica, const Message& message) {
  if (message.to != replica.options.self || message.from == replica.options.self) return false;
  const bool answer = std::holds_alternative<VoteReply>(message.body) ||
                      std::holds_alternative<AppendReply>(message.body) ||
                      std::holds_alternative<InstallReply>(message.body);
  if (!answer) return true;
  return !shows_other_data(replica, message.from) &&
         (is_member(replica.membership(), message.from) || replica.follower(message.from));
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
  if (std::holds_alternative<InstallSnapshot>(message.body))
    send(replica, message.from, AppendReply{false, Index(), Index(), Term(), 0});
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
  const MemberId from = message.from;
  if (!is_heard(replica, message) || !well_formed(message) || !settle_term(replica, message)) return;
  std::visit(Overloaded{
                 [&](const RequestVote& body) { receive_request_vote(replica, from, message.term, body); },
                 [&](const VoteReply& body) { receive_vote_reply(replica, from, message.term, body); },
                 [&](const AppendEntries& body) { receive_append_entries(replica, from, body); },
                 [&](const AppendReply& body) { receive_append_reply(replica, from, body); },
                 [&](const TimeoutNow&) { receive_timeout_now(replica, from); },
                 [&](const InstallSnapshot& body) { receive_install_snapshot(replica, from, body); },
                 [&](const InstallReply& body) { receive_install_reply(replica, from, body); },
             },
             message.body);
}

}  // namespace holdfast::raft
