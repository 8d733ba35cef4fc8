#pragma once

#include "raft/replica.h"

/// What members say to this one. One handler a message, each in receive_<message>.cc; the rules that hold for
/// all of them are in receive.cc.
namespace holdfast::raft {

void receive(Replica& replica, const Message& message);

// Each requires: `from` is another, for answers a member, and `term` is the current one unless stated
// otherwise.

/// A real vote is asked for in the current term; a pre-vote in any term not below it.
void receive_request_vote(Replica& replica, MemberId from, Term term, const RequestVote& request);
/// A granted pre-vote speaks of the next term.
void receive_vote_reply(Replica& replica, MemberId from, Term term, const VoteReply& reply);
void receive_append_entries(Replica& replica, MemberId from, const AppendEntries& append);
void receive_append_reply(Replica& replica, MemberId from, const AppendReply& reply);
void receive_timeout_now(Replica& replica, MemberId from);
void receive_install_snapshot(Replica& replica, MemberId from, const InstallSnapshot& piece);
void receive_install_reply(Replica& replica, MemberId from, const InstallReply& reply);

}  // namespace holdfast::raft
