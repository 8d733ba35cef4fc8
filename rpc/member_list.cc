#include "rpc/member_list.h"

#include <algorithm>
#include <map>
#include <string>

#include "rpc/texts.h"

namespace holdfast::rpc {

std::vector<Participant> participants(const raft::Membership& membership) {
  using Part = schema::Cluster::Part;
  std::map<std::string, Participant> by_name;
  for (const raft::Member& member : membership.learners) by_name[member.name] = {member, Part::LEARNER};
  for (const raft::Member& member : membership.outgoing_voters)
    by_name[member.name] = {member, Part::LEAVING};
  const bool joint = !membership.outgoing_voters.empty();
  for (const raft::Member& member : membership.voters) {
    const auto old = by_name.find(member.name);
    const bool votes_already = old != by_name.end() && old->second.part == Part::LEAVING;
    by_name[member.name] = {member, joint && !votes_already ? Part::JOINING : Part::VOTER};
  }
  std::vector<Participant> list;
  for (auto& [name, participant] : by_name) list.push_back(std::move(participant));
  return list;
}

void write_members(Desk& desk, schema::Cluster::MemberList::Builder out) {
  const std::vector<Participant> list = participants(desk.node.membership());
  const auto leader = desk.node.leader();
  out.setClusterId(desk.identity.cluster.value());
  out.setLeader(leader ? as_text(leader->name) : capnp::Text::Reader());
  out.setChanging(!desk.node.membership().outgoing_voters.empty());
  out.setLastIndex(desk.node.status().last.value());
  std::map<MemberId, Index> match = {{desk.identity.member, desk.node.status().durable}};
  for (const auto& follower : desk.node.followers()) match[follower.id] = follower.match;
  const std::vector<raft::Member>& known_founders = desk.identity.founders;
  auto founders = out.initFounders(static_cast<unsigned>(known_founders.size()));
  for (unsigned i = 0; i < founders.size(); ++i) {
    founders[i].setName(as_text(known_founders[i].name));
    founders[i].setPeerAddress(as_text(known_founders[i].peer_address));
  }
  auto members = out.initMembers(static_cast<unsigned>(list.size()));
  for (unsigned i = 0; i < members.size(); ++i) {
    const raft::Member& member = list[i].member;
    members[i].setId(member.id.value());
    members[i].setName(as_text(member.name));
    members[i].setPeerAddress(as_text(member.peer_address));
    members[i].setPart(list[i].part);
    members[i].setDataId(as_text(member.data_id));
    if (const auto known = match.find(member.id); known != match.end()) {
      members[i].setMatchIndex(known->second.value());
    }
    const auto known = desk.node.machine().members().find(member.id);
    if (known != desk.node.machine().members().end()) {
      members[i].setEndpoint(as_text(known->second.client_endpoint));
    }
  }
}

}  // namespace holdfast::rpc
