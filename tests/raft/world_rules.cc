#include <algorithm>

#include "raft/quorum.h"
#include "tests/raft/world.h"

/// The rules of docs/RAFT.md that a world rarely punishes: broken, they take a coincidence of several more
/// troubles to show in a log. Each is looked at where it would be broken.
namespace holdfast::raft::bench {

namespace {

bool on_record(const Membership& membership, const std::string& data_id) {
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners})
    for (const Member& member : *side)
      if (member.data_id == data_id) return true;
  return false;
}

}  // namespace

/// Do so many of either side agree that nothing can be decided without one of them?
bool World::decided(const Membership& membership, const std::function<bool(MemberId)>& agrees) const {
  const auto most_of = [&](const std::vector<Member>& voters) {
    const auto agreeing =
        std::count_if(voters.begin(), voters.end(), [&](const Member& voter) { return agrees(voter.id); });
    return voters.empty() || 2 * static_cast<std::size_t>(agreeing) > voters.size();
  };
  return most_of(membership.voters) && most_of(membership.outgoing_voters);
}

/// A disk that took another's place helps only whoever knows of it, or founds the cluster (rule 2 of "Data
/// ids").
void World::check_help(const Machine& machine, const Message& vote) {
  if (!machine.wiped || on_record(machine.core->membership(), machine.data_id)) return;
  const auto request = requests_.find({vote.to, vote.from, vote.term});
  if (request == requests_.end()) return fail("a vote that nobody asked for");
  const auto& [recorded, last] = request->second;
  if (last && recorded != machine.data_id) fail("a disk that took another's place voted");
}

/// A leader has votes of most on either side. A wiped disk may have voted before it was lost.
void World::check_elected(MemberId id, const Core& core) {
  const auto voted = [&](MemberId voter) {
    if (voter == id) return true;
    for (std::string data_id = machines_.at(voter).data_id;; data_id.pop_back()) {
      const auto vote = votes_.find({data_id, core.status().term});
      if (vote != votes_.end() && vote->second == id) return true;
      if (data_id.back() != '\'') return false;
    }
  };
  if (!decided(core.membership(), voted)) fail("a leader was elected by too few");
}

/// What a leader commits is on the disks of most on either side, and whoever they are is committed with it.
void World::check_counted(MemberId id, const Status& before, Index membership_before) {
  const Core& core = *machines_.at(id).core;
  const Status after = core.status();
  if (before.role != Role::kLeader || after.role != Role::kLeader || before.term != after.term) return;
  if (after.commit == before.commit) return;
  if (after.commit < membership_before) fail("something was committed before the membership that decided it");
  const auto has_it = [&](MemberId voter) {
    const Machine& machine = machines_.at(voter);
    if (machine.wiped || machine.disk_base >= after.commit) return true;
    const std::size_t position = after.commit.value() - machine.disk_base.value();
    return position <= machine.disk.size() && machine.disk[position - 1].term == core.term_at(after.commit);
  };
  if (!decided(*core.membership_at(after.commit), has_it)) fail("what is committed is on too few disks");
}

Index World::match_of(MemberId leader, MemberId follower) const {
  for (const FollowerStatus& status : machines_.at(leader).core->followers())
    if (status.id == follower) return status.match;
  return {};
}

/// Who shows another disk than the one on record is not heard.
void World::check_acknowledged(const Message& message, Index match_before) {
  const Machine& follower = machines_.at(message.from);
  if (!follower.wiped || !std::holds_alternative<AppendReply>(message.body)) return;
  const Membership& membership = machines_.at(message.to).core->membership();
  const auto on_side = [&](const std::vector<Member>& side) {
    return std::any_of(side.begin(), side.end(), [&](const Member& member) {
      return member.id == message.from && !member.data_id.empty() && member.data_id != follower.data_id;
    });
  };
  const bool another = on_side(membership.voters) || on_side(membership.outgoing_voters);
  if (another && match_of(message.to, message.from) > match_before)
    fail("what another disk acknowledged was counted");
}

}  // namespace holdfast::raft::bench
