#pragma once

#include "raft/replica.h"

/// Handing leadership over. Ref: Diss. §3.10
namespace holdfast::raft {

/// Begins to hand over to `to`, or to the voter that is furthest if none; asked again for the same one, it
/// goes on. Says in output.refused why not: one hand-over at a time, since two candidates sent at once would
/// take each other's votes past the protection of the leader.
void begin_transfer(Replica& replica, MemberId to);
/// Tells the target to campaign once it has the whole log; gives up if it is no voter any more. A leader that
/// was removed begins to hand over, or steps down if there is nobody. Requires: the replica leads.
void advance_transfer(Replica& replica);
/// Steps down at once, and tells the voter that is furthest to campaign, so that nobody waits for a timeout.
/// Requires: the replica leads.
void abdicate(Replica& replica);

}  // namespace holdfast::raft
