#pragma once

#include "raft/replica.h"

/// Campaigning. Ref: Raft §5.2, Diss. §9.6 (pre-vote), §3.10 (transfer)
namespace holdfast::raft {

/// The election timeout passed without a leader.
void campaign(Replica& replica);
/// The leader handed over: no pre-vote, and voters do not protect it.
void campaign_for_transfer(Replica& replica);

/// The connection to `member` is closed. If it led, that is evidence enough to ask the others, soon and not
/// all at once: those whose connection stands refuse, as ever, and its next heartbeat makes good what was a
/// mistake.
void suspect(Replica& replica, MemberId member);

/// A connection to another member has come up. Who has not heard of a leader since it started asks soon, too:
/// it may well be that all have just started, and if not, the others refuse.
void look_for_leader(Replica& replica);

/// `from` answered a pre-candidate or candidate.
void record_vote(Replica& replica, MemberId from, bool granted);
/// A candidate's own vote counts from when it is durable. Called after every write that became so.
void record_own_vote(Replica& replica);

/// Does this member know a leader that was heard from within the minimum election timeout? Then it does not
/// help anybody to depose it.
bool leader_is_live(const Replica& replica);

}  // namespace holdfast::raft
