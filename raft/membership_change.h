#pragma once

#include "raft/replica.h"

/// Who takes part changes by joint consensus. Ref: Raft §6
///
///            ChangeMembership                 committed                    committed
///   simple ------------------> joint, open -------------> (left at once) ------------> simple
///      |                                                   final, open
///      +--- only learners, addresses or data ids differ: one entry, no joint step ------^
///
/// Both entries hold from when they are appended, and what stands behind an entry that is truncated holds
/// again (raft/memberships.h).
namespace holdfast::raft {

/// Begins the change, or says in output.refused why not.
void change_membership(Replica& replica, Membership target);

/// Appends the entry that puts `membership` in force, and begins to lead whoever is new. Requires: the
/// replica leads; the voters are those in force, or a change_membership or leave_joint decided otherwise.
void append_membership(Replica& replica, Membership membership);

/// Leaves a joint membership whose entry is committed. Requires: the replica leads.
void leave_joint(Replica& replica);

/// Stops leading those that are members no more, once that is committed: until then they may be needed again,
/// and so they hear of it. Requires: the replica leads.
void forget_removed(Replica& replica);

/// Is this leader no voter any more, and that is settled? Then it is to hand over and step down.
bool is_removed(const Replica& replica);

}  // namespace holdfast::raft
