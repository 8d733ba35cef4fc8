#pragma once

#include "raft/replica.h"

/// The transitions between roles; docs/RAFT.md draws them. Ref: Raft fig. 4
namespace holdfast::raft {

/// Follows `leader` (none if unknown) in `term`. Does not put off this member's own election: only a live
/// leader or a vote it grants does, see postpone_election. Requires: term is not below the current one.
void become_follower(Replica& replica, Term term, MemberId leader);
/// Asks whether it could win, changing nothing. Ref: Diss. §9.6
void become_pre_candidate(Replica& replica);
/// Starts a term and votes for itself.
void become_candidate(Replica& replica);
/// Requires: it won the election of the current term.
void become_leader(Replica& replica);

/// Draws this member's next election timeout anew, from [1x, 2x).
void postpone_election(Replica& replica);

/// May this member stand for election now?
bool may_campaign(const Replica& replica);
/// Has the own disk not answered for an election timeout? Whoever leads with such a disk stands in the way of
/// those whose disks work.
bool disk_is_stalled(const Replica& replica);

}  // namespace holdfast::raft
