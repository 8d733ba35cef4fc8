#include <algorithm>

#include "raft/quorum.h"
#include "tests/raft/bench.h"
#include "tests/raft/world.h"

/// Who takes part, and with which disk; and images for those who fell behind.
namespace holdfast::raft::bench {

/// Its disk is replaced by an empty one, with the same options. Not while anybody could still take it for a
/// founder that begins: that nobody can tell apart, nor can a founder that was alone (docs/RAFT.md, "Data
/// ids"). And one at a time: a cluster survives the loss of a minority.
void World::wipe(MemberId id) {
  const bool another =
      std::any_of(machines_.begin(), machines_.end(), [](const auto& entry) { return entry.second.wiped; });
  Machine& machine = machines_.at(id);
  const bool begun = std::all_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
    return !is_voter(founders_, entry.first) || entry.second.disk_base + entry.second.disk.size();
  });
  // With two voters, one is no minority; whichever membership in whichever log it is that prevails.
  const bool minority = std::all_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
    const Membership& membership = entry.second.core->membership();
    return !membership.is_joint() && (!is_voter(membership, id) || membership.voters.size() >= 3);
  });
  if (another || !begun || !minority || (is_voter(founders_, id) && founders_.voters.size() < 3)) return;
  ++wiped_;
  machine.wiped = true;
  machine.data_id += "'";
  machine.jobs.clear();
  machine.asked.clear();
  machine.disk.clear();
  machine.disk_base = Index();
  machine.disk_base_term = Term();
  machine.disk_state = HardState();
  machine.disk_membership = is_member(founders_, id) ? founders_ : Membership();
  machine.applied = Index();
  machine.imageable = Index();
  // Whoever connects anew has ended its older connections, and what was under way on them.
  for (auto* way : {&network_, &late_})
    way->erase(std::remove_if(way->begin(), way->end(), [&](const Message& one) { return one.from == id; }),
               way->end());
  start(id);
}

Membership World::some_target(const Membership& current) {
  Membership target = current;
  const MemberId id(random_.between(1, machines_.size()));
  const auto is_it = [&](const Member& member) { return member.id == id; };
  Member newcomer = member(id.value());
  newcomer.data_id.clear();
  if (!is_member(current, id)) {
    target.learners.push_back(newcomer);
    return target;
  }
  const auto learner = std::find_if(target.learners.begin(), target.learners.end(), is_it);
  if (learner != target.learners.end()) {
    if (random_.chance(70)) target.voters.push_back(*learner);
    target.learners.erase(learner);
    // A replacement is both at once.
    if (random_.chance(40)) target.voters.erase(target.voters.begin());
    return target;
  }
  const auto voter = std::find_if(target.voters.begin(), target.voters.end(), is_it);
  if (voter == target.voters.end()) return target;  // on its way out
  if (random_.chance(50)) target.learners.push_back(*voter);
  target.voters.erase(voter);
  return target;
}

void World::change_membership() {
  const auto leads = [](const auto& entry) { return entry.second.core->status().role == Role::kLeader; };
  const auto leader = std::find_if(machines_.begin(), machines_.end(), leads);
  if (leader == machines_.end()) return;
  const MemberId id = leader->first;
  Machine& machine = leader->second;
  Membership target = some_target(machine.core->membership());
  // Whoever lost a disk is the one to be removed; taking away others meanwhile would be the operator's fault.
  for (auto& [wiped, one] : machines_) {
    if (!one.wiped) continue;
    const auto is_it = [&, it = wiped](const Member& member) { return member.id == it; };
    target = machine.core->membership();
    target.voters.erase(std::remove_if(target.voters.begin(), target.voters.end(), is_it),
                        target.voters.end());
    target.learners.erase(std::remove_if(target.learners.begin(), target.learners.end(), is_it),
                          target.learners.end());
    const bool gone = !is_member(machine.core->membership(), wiped);
    if (!gone) continue;
    Member again = member(wiped.value());
    again.data_id.clear();
    target.learners.push_back(again);
    if (machine.core->membership_index() <= machine.core->status().commit) one.wiped = false;
  }
  const bool in_office = machine.core->status().own_term_committed;
  Output output = machine.core->step(now_, ChangeMembership{target});
  changes_ += output.accepted ? 1 : 0;
  if (output.accepted && !in_office) fail("who takes part was changed before the leader's own no-op");
  take(id, std::move(output));
}

void World::send_image(MemberId from, MemberId to) {
  const Machine& machine = machines_.at(from);
  const Index newest = std::min(machine.applied, machine.imageable);
  const auto term = machine.core->term_at(newest);
  if (!newest || !term) return;
  InstallSnapshot image{{newest, *term, *machine.core->membership_at(newest)}, "digest", 1, 0, Blob("x")};
  send(from, {from, to, machine.core->status().term, image});
}

void World::send_images() {
  for (const auto& [id, machine] : machines_)
    for (const FollowerStatus& follower : machine.core->followers())
      if (follower.pace == Pace::kNeedsSnapshot) send_image(id, follower.id);
}

void World::take_image(MemberId id, const SnapshotChunk& chunk) {
  const std::size_t before = machines_.at(id).jobs.size();
  step(id, BeginInstall{chunk.piece.snapshot});
  installs_ += machines_.at(id).jobs.size() > before ? 1 : 0;
}

}  // namespace holdfast::raft::bench
