#pragma once

#include "raft/replica.h"

/// What every message of a leader means to the one it is sent to.
namespace holdfast::raft {

/// Takes `from` for the leader of this term and puts off this member's own election. Returns: false if it
/// cannot be the leader of this term, since another is.
bool follow(Replica& replica, MemberId from);

/// Tells the leader that the logs match up to `matching`, as far as that is durable here. What is new, or in
/// doubt because the term itself is not written yet, is acknowledged once it is. Requires: the log holds
/// `matching` or begins behind it.
void acknowledge(Replica& replica, MemberId leader, Index matching, std::uint64_t round);

}  // namespace holdfast::raft
