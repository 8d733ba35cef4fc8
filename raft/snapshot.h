#pragma once

#include "raft/replica.h"

/// A follower takes over an image in place of entries that its leader has not any more. Ref: Raft §7
///
/// From BeginInstall to Installed the log stands still: nothing is appended, truncated or compacted, and this
/// member does not stand for election. The store replaces the log in one transaction of its own; a write
/// handed out meanwhile could land on either side of it, and the log in memory would not be the stored one.
/// An image is installed only over a log that does not hold its last entry: a log that does needs only be
/// told that it is committed, and would lose what it acknowledged behind that entry (fig. 13, step 6).
namespace holdfast::raft {

/// Has this member everything that `snapshot` stands for, in its log or below?
bool has(const Replica& replica, const Snapshot& snapshot);
/// Has everything: the image tells that it is committed, and the leader is told that it is here.
/// Requires: has(replica, snapshot).
void answer_that_it_is_here(Replica& replica, MemberId leader, const Snapshot& snapshot);

void begin_install(Replica& replica, Snapshot snapshot);
/// Requires: begin_install allowed it.
void installed(Replica& replica, const Snapshot& snapshot);
void install_abandoned(Replica& replica);

}  // namespace holdfast::raft
