#pragma once

#include "raft/replica.h"

/// The leader's side of replication. Ref: Raft §5.3
namespace holdfast::raft {

/// Sends to each follower what its progress allows and what it is owed: entries, else a heartbeat if one is
/// due, else the news of a commit. Called once at the end of every step. Requires: the replica leads.
void send_what_is_due(Replica& replica);

/// Commits up to what a majority durably has, if that is an entry of this term: older ones may still be
/// replaced however many have them (fig. 8). And if the membership in force is committed by it: those who
/// decide are in the log before anything is decided by them. Requires: the replica leads.
void advance_commit(Replica& replica);

/// Raises held_by_all to the lowest match of all members. Requires: the replica leads.
void advance_held_by_all(Replica& replica);

/// False until the leader has committed its no-op. Requires: the replica leads.
bool own_term_committed(const Replica& replica);

/// Appends an entry of this term. Requires: the replica leads.
void append_as_leader(Replica& replica, Entry entry);
/// The size of what is not committed yet.
std::size_t bytes_behind_commit(const Replica& replica);

/// Raises the commit index and hands out what became committed. Requires: index <= the last entry.
void commit_up_to(Replica& replica, Index index);

}  // namespace holdfast::raft
