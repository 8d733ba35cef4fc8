#include "tests/sim/roster.h"

#include <algorithm>

namespace holdfast::sim {

namespace {

const raft::Member* find(const std::vector<raft::Member>& members, MemberId id) {
  auto found =
      std::find_if(members.begin(), members.end(), [id](const raft::Member& one) { return one.id == id; });
  return found == members.end() ? nullptr : &*found;
}

/// Can it do without `lost`? Only those whose disk is on record vote for whoever has the log.
bool has_majority(const Members& members, const raft::Membership& membership, MemberId lost) {
  const auto helps = [&](const raft::Member& voter) {
    const Member* member = find(members, voter.id);
    return voter.id != lost && member && !voter.data_id.empty() && voter.data_id == member->data_id() &&
           !member->disk().damaged();
  };
  const auto helping = std::count_if(membership.voters.begin(), membership.voters.end(), helps);
  return static_cast<std::size_t>(helping) * 2 > membership.voters.size();
}

/// Would it be survived if this membership prevailed?
bool survives(const Members& members, const raft::Membership& membership, MemberId id) {
  if (membership.is_joint()) return false;
  for (const auto& member : members) {
    if (has_lost_its_disk(*member, membership)) return false;
  }
  return !is_voter(membership, id) || has_majority(members, membership, id);
}

}  // namespace

const raft::Member* find(const raft::Membership& membership, MemberId id) {
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners}) {
    if (const raft::Member* found = find(*side, id)) return found;
  }
  return nullptr;
}

bool is_voter(const raft::Membership& membership, MemberId id) {
  return find(membership.voters, id) || find(membership.outgoing_voters, id);
}

Member* find(const Members& members, MemberId id) {
  for (const auto& member : members) {
    if (member->id() == id) return member.get();
  }
  return nullptr;
}

std::string describe(const raft::Membership& membership) {
  const auto list = [](const std::vector<raft::Member>& members) {
    std::string text;
    for (const raft::Member& member : members) {
      if (!text.empty()) text += ' ';
      text += std::to_string(member.id.value()) + (member.data_id.empty() ? "?" : "");
    }
    return text;
  };
  std::string text = "{" + list(membership.voters) + "}";
  if (membership.is_joint()) text += " {" + list(membership.outgoing_voters) + "}";
  if (!membership.learners.empty()) text += " (" + list(membership.learners) + ")";
  return text;
}

Member* leader_of(const Members& members) {
  Member* leader = nullptr;
  for (const auto& member : members) {
    if (!member->up() || !member->node()->is_leader()) continue;
    if (!leader || leader->node()->status().term < member->node()->status().term) leader = member.get();
  }
  return leader;
}

bool has_lost_its_disk(const Member& member, const raft::Membership& membership) {
  const raft::Member* recorded = find(membership, member.id());
  return recorded && !recorded->data_id.empty() &&
         (recorded->data_id != member.data_id() || member.disk().damaged());
}

bool has_majority(const Members& members, const raft::Membership& membership) {
  return has_majority(members, membership, MemberId());
}

bool may_lose_disk(const Members& members, const Oracle& oracle, MemberId id) {
  const raft::Membership& committed = oracle.membership();
  if (!oracle.committed() || !survives(members, committed, id)) return false;
  for (const auto& member : members) {
    const bool has_log = member->disk().durable().last() != Index();
    if (member->is_founder() && is_voter(oracle.membership_at(Index()), member->id()) && !has_log)
      return false;
    if (!find(committed, member->id())) continue;
    if (!survives(members, member->logged_membership(), id)) return false;
  }
  return true;
}

}  // namespace holdfast::sim
