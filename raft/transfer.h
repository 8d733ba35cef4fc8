#pragma once

#include "raft/replica.h"

/// Handing leadership over. Ref: Diss. §3.10
namespace holdfast::raft {

/// Begins to hand over to `to`, or to the voter that is furthest if none. Asked again for the same one, it
/// goes on; for another, it turns to that one. Ignored if `to` cannot lead, or this member does not.
void begin_transfer(Replica& replica, MemberId to);
/// Tells the target to campaign once it has the whole log. Requires: the replica leads.
void advance_transfer(Replica& replica);

}  // namespace holdfast::raft
