#include "rpc/member_status.h"

#include <algorithm>
#include <map>

#include "rpc/terms.h"
#include "rpc/texts.h"

namespace holdfast::rpc {

namespace {

MemberStatus read_status(schema::Cluster::MemberStatus::Reader in) {
  MemberStatus status;
  status.id = MemberId(in.getId());
  status.name = to_string(in.getName());
  status.endpoint = to_string(in.getEndpoint());
  status.role = in.getRole();
  status.term = Term(in.getTerm());
  status.commit = Index(in.getCommitIndex());
  status.applied = Index(in.getAppliedIndex());
  status.healthy = in.getHealthy();
  status.leader = to_string(in.getLeader());
  status.cluster = ClusterId(in.getClusterId());
  return status;
}

schema::Cluster::Role to_schema(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return schema::Cluster::Role::FOLLOWER;
    case raft::Role::kPreCandidate:
      return schema::Cluster::Role::PRE_CANDIDATE;
    case raft::Role::kCandidate:
      return schema::Cluster::Role::CANDIDATE;
    case raft::Role::kLeader:
      return schema::Cluster::Role::LEADER;
  }
  return schema::Cluster::Role::UNKNOWN;
}

/// Every member once, in order of name, with nothing known but its name and address.
std::vector<MemberStatus> silent_members(Desk& desk) {
  std::map<MemberId, MemberStatus> members;
  const raft::Membership& membership = desk.node.membership();
  for (const auto* part : {&membership.voters, &membership.outgoing_voters, &membership.learners}) {
    for (const raft::Member& member : *part) {
      MemberStatus status;
      status.id = member.id;
      status.name = member.name;
      const auto known = desk.node.machine().members().find(member.id);
      if (known != desk.node.machine().members().end()) status.endpoint = known->second.client_endpoint;
      members.emplace(member.id, std::move(status));
    }
  }
  std::vector<MemberStatus> list;
  for (auto& [id, status] : members) list.push_back(std::move(status));
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

kj::Promise<MemberStatus> ask(Desk& desk, MemberStatus silent, Duration within) {
  if (silent.id == desk.identity.member) return own_status(desk);
  if (silent.endpoint.empty()) return silent;
  auto asked = desk.members.member(silent.id, silent.endpoint)
                   .then([](kj::Own<MemberDoor> door) {
                     return door->get<schema::Cluster::Client>().selfRequest().send();
                   })
                   .then([silent](capnp::Response<schema::Cluster::SelfResults>&& results) {
                     MemberStatus answer = read_status(results.getMember());
                     // Whoever else listens there now is not this member.
                     return answer.id == silent.id ? answer : silent;
                   });
  return desk.timer.timeoutAfter(to_kj(within), kj::mv(asked)).catch_([silent](kj::Exception&&) {
    return silent;
  });
}

}  // namespace

MemberStatus own_status(Desk& desk) {
  const raft::Status raft = desk.node.status();
  const auto leader = desk.node.leader();
  MemberStatus status;
  status.id = desk.identity.member;
  status.name = desk.identity.name;
  status.endpoint = desk.identity.client_endpoint;
  status.role = to_schema(raft.role);
  status.term = raft.term;
  status.commit = raft.commit;
  status.applied = desk.node.machine().applied();
  status.healthy = true;
  status.leader = leader ? leader->name : std::string();
  status.cluster = desk.identity.cluster;
  return status;
}

void write_status(const MemberStatus& status, schema::Cluster::MemberStatus::Builder out) {
  out.setId(status.id.value());
  out.setName(as_text(status.name));
  out.setEndpoint(as_text(status.endpoint));
  out.setRole(status.role);
  out.setTerm(status.term.value());
  out.setCommitIndex(status.commit.value());
  out.setAppliedIndex(status.applied.value());
  out.setHealthy(status.healthy);
  out.setLeader(as_text(status.leader));
  out.setClusterId(status.cluster.value());
}

kj::Promise<kj::Array<MemberStatus>> ask_every_member(Desk& desk, Duration within) {
  kj::Vector<kj::Promise<MemberStatus>> answers;
  for (MemberStatus& member : silent_members(desk)) answers.add(ask(desk, std::move(member), within));
  return kj::joinPromises(answers.releaseAsArray());
}

std::string leader_among(const kj::Array<MemberStatus>& members) {
  const MemberStatus* best = nullptr;
  for (const MemberStatus& member : members) {
    if (!member.healthy || member.leader.empty()) continue;
    if (!best || member.term > best->term) best = &member;
  }
  return best ? best->leader : std::string();
}

}  // namespace holdfast::rpc
