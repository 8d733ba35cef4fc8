#pragma once

#include <memory>
#include <string>
#include <vector>

#include "raft/types.h"
#include "tests/sim/member.h"
#include "tests/sim/oracle.h"

/// Questions about who takes part.
namespace holdfast::sim {

using Members = std::vector<std::unique_ptr<Member>>;

/// Null: it is not in there.
const raft::Member* find(const raft::Membership& membership, MemberId id);
bool is_voter(const raft::Membership& membership, MemberId id);
Member* find(const Members& members, MemberId id);
/// For people: "{1 2 3?} {1 2} (4)", that is the voters, a question mark behind whom the record says nothing
/// of, the outgoing ones, and the learners.
std::string describe(const raft::Membership& membership);

/// Who leads in the newest term, by its own account; null: nobody.
Member* leader_of(const Members& members);

/// Is another disk on record than the one it has, or is that one damaged? What it promised is gone.
bool has_lost_its_disk(const Member& member, const raft::Membership& membership);

/// Are there the disks that it takes to elect a leader under this membership? It may not be joint.
bool has_majority(const Members& members, const raft::Membership& membership);

/// May this disk be lost now? A cluster survives the loss of a minority of its disks: one at a time, until it
/// is taken off the record, and only while the other disks on record are most of the voters', whichever of
/// the memberships in the logs of those who take part prevails. And not as long as it could be taken for a
/// founder that begins for the first time (docs/RAFT.md, "Data ids").
bool may_lose_disk(const Members& members, const Oracle& oracle, MemberId id);

}  // namespace holdfast::sim
