#pragma once

#include <string>

#include "raft/replica.h"

/// A member's id stands for one data directory. Every promise (a vote, an acknowledgement) lives in that
/// directory; another one under the same id, a wiped disk, remembers none of them and must not be taken for
/// it. These are the rules; docs/RAFT.md, "Data ids", says why they are enough.
namespace holdfast::raft {

/// What the membership has on record; empty: nothing, or no such member.
std::string recorded_data_id(const Membership& membership, MemberId id);

/// Is this member's own data id in its membership, in force or committed? Then its disk is the one that the
/// log speaks of.
bool own_data_is_recorded(const Replica& replica);

/// Did `id` show another data id than the one on record? Then its answers do not count, and a leader
/// sends it nothing.
bool shows_other_data(const Replica& replica, MemberId id);

/// Does what this member says count for a leader's majorities: commit, reads, check-quorum? Only if its data
/// id is on record: only then would a wiped disk under its id be noticed.
bool counts(const Replica& replica, MemberId id);

/// May this member vote for a candidate that sent `request`, as far as its data is concerned? One whose own
/// data id is on record in its own log or in the candidate's may: its disk is the one that was counted.
/// Whoever does not know helps only those who begin: a candidate without a log.
bool may_help(const Replica& replica, const RequestVote& request);

/// May this member stand, as far as its data is concerned? If its data id is on record, or there is no log
/// yet.
bool may_stand(const Replica& replica);

/// Appends a membership entry with the data ids that are shown but not on record yet, if there are any.
/// Voters stay who they are, so it may stand on an open change, and before the first commit of the term: the
/// first leader of a cluster could not commit anything otherwise. Requires: the replica leads.
void record_data_ids(Replica& replica);

void peer_connected(Replica& replica, MemberId member, const std::string& data_id);
void peer_lost(Replica& replica, MemberId member);

}  // namespace holdfast::raft
