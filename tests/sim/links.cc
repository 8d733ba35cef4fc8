#include "tests/sim/links.h"

#include <algorithm>

namespace holdfast::sim {

std::string data_id_of(MemberId member, std::uint64_t disk) {
  return "d" + std::to_string(member.value()) + "." + std::to_string(disk);
}

void Links::set_members(const raft::Membership& membership, Index index) {
  members_ = membership;
  index_ = index;
  ++version_;
}

bool Links::welcomes(const Greeting& greeting) const {
  if (lax_ || greeting.membership > index_) return true;
  bool known = false;
  for (const auto* side : {&members_.voters, &members_.outgoing_voters, &members_.learners}) {
    for (const raft::Member& member : *side) {
      if (member.id != greeting.member) continue;
      known = true;
      if (!member.data_id.empty() && member.data_id != data_id_of(greeting.member, greeting.disk))
        return false;
    }
  }
  return known;
}

Links::Arrival Links::hear(const Greeting& greeting) {
  Link& link = links_[greeting.member];
  if (greeting.disk < link.disk) return Arrival::kOutdated;
  const bool same = link.connected && greeting.disk == link.disk;
  if (same && link.judged == version_) return Arrival::kKnown;
  if (!welcomes(greeting)) return Arrival::kRefused;
  link = {greeting.disk, true, version_};
  refusing_.erase(greeting.member);
  return same ? Arrival::kKnown : Arrival::kNew;
}

bool Links::talks_to(const Greeting& other) const {
  auto link = links_.find(other.member);
  const bool met = link != links_.end() && link->second.connected && link->second.disk == other.disk &&
                   link->second.judged == version_;
  return met || welcomes(other);
}

bool Links::connected(MemberId member) const {
  auto link = links_.find(member);
  return link != links_.end() && link->second.connected;
}

void Links::lose(MemberId member) {
  auto link = links_.find(member);
  if (link != links_.end()) link->second.connected = false;
}

bool Links::refused_by(MemberId member, const raft::Membership& in_force) {
  refusing_.insert(member);
  std::erase_if(refusing_, [&](MemberId one) {
    return std::none_of(in_force.voters.begin(), in_force.voters.end(),
                        [one](const raft::Member& voter) { return voter.id == one; });
  });
  return refusing_.size() > in_force.voters.size() / 2;
}

}  // namespace holdfast::sim
