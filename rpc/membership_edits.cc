#include "rpc/membership_edits.h"

#include <algorithm>
#include <vector>

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/member_name.h"

namespace holdfast::rpc {

namespace {

using Members = std::vector<raft::Member>;

auto find(const Members& members, const std::string& name) {
  return std::find_if(members.begin(), members.end(),
                      [&](const raft::Member& member) { return member.name == name; });
}

bool contains(const Members& members, const std::string& name) {
  return find(members, name) != members.end();
}

void erase(Members& members, const std::string& name) {
  std::erase_if(members, [&](const raft::Member& member) { return member.name == name; });
}

tl::unexpected<Error> not_found(const raft::Membership& now, const std::string& name) {
  std::string names;
  for (const auto* part : {&now.voters, &now.learners}) {
    for (const raft::Member& member : *part) names += (names.empty() ? "" : ", ") + member.name;
  }
  return fail(Errc::kMemberNotFound, "there is no member \"" + name + "\"; the members are " + names);
}

Result<void> check_address(const std::string& address) {
  if (address.size() > limits::kMaxAddressBytes) {
    return fail(Errc::kLimitExceeded, "the peer address has " + std::to_string(address.size()) +
                                          " bytes, more than the " +
                                          std::to_string(limits::kMaxAddressBytes) + " of kMaxAddressBytes");
  }
  const auto endpoint = parse_endpoint(address);
  if (!endpoint) return fail(endpoint.error());
  if (endpoint->port == 0) {
    return fail(Errc::kInvalidArgument,
                "the peer address " + address + " has port 0; name the port it listens on");
  }
  return {};
}

/// Nobody else may be called so or listen there.
Result<void> check_free(const raft::Membership& now, const std::string& name, const std::string& address) {
  const Standing standing = standing_of(now, name);
  if (standing == Standing::kLearner) {
    return fail(Errc::kMemberExists,
                "there is a member \"" + name +
                    "\" already, a learner; promote it to make it a voter, or remove it first");
  }
  if (standing == Standing::kVoter) {
    return fail(Errc::kMemberExists,
                "there is a member \"" + name + "\" already; choose another name, or remove it first");
  }
  for (const auto* part : {&now.voters, &now.outgoing_voters, &now.learners}) {
    for (const raft::Member& member : *part) {
      if (member.peer_address != address) continue;
      return fail(Errc::kMemberExists,
                  "the peer address " + address + " is that of member \"" + member.name + "\"");
    }
  }
  return {};
}

}  // namespace

Result<raft::Member> member_named(const raft::Membership& membership, const std::string& name) {
  for (const auto* part : {&membership.voters, &membership.outgoing_voters, &membership.learners}) {
    if (const auto found = find(*part, name); found != part->end()) return *found;
  }
  return not_found(membership, name);
}

Result<raft::Member> voter_named(const raft::Membership& membership, const std::string& name) {
  if (standing_of(membership, name) == Standing::kLearner) {
    return fail(Errc::kInvalidArgument,
                "member \"" + name + "\" is a learner, and only a voter can lead; promote it first");
  }
  return member_named(membership, name);
}

Standing standing_of(const raft::Membership& membership, const std::string& name) {
  if (contains(membership.voters, name) || contains(membership.outgoing_voters, name))
    return Standing::kVoter;
  return contains(membership.learners, name) ? Standing::kLearner : Standing::kNone;
}

Result<raft::Membership> with_learner(const raft::Membership& now, ClusterId cluster, const std::string& name,
                                      const std::string& peer_address) {
  if (auto good = check_member_name(name); !good) return fail(good.error());
  if (auto good = check_address(peer_address); !good) return fail(good.error());
  if (auto free = check_free(now, name, peer_address); !free) return fail(free.error());
  raft::Membership target = now;
  raft::Member member;
  member.id = member_id(cluster, name);
  member.name = name;
  member.peer_address = peer_address;
  target.learners.push_back(std::move(member));
  return target;
}

Result<raft::Membership> with_promoted(const raft::Membership& now, const std::string& name) {
  const auto learner = find(now.learners, name);
  if (learner == now.learners.end()) {
    if (auto known = member_named(now, name); !known) return fail(known.error());
    return fail(Errc::kInvalidArgument, "member \"" + name + "\" is a voter already");
  }
  raft::Membership target = now;
  target.voters.push_back(*learner);
  erase(target.learners, name);
  return target;
}

Result<raft::Membership> without(const raft::Membership& now, const std::string& name) {
  if (auto known = member_named(now, name); !known) return fail(known.error());
  raft::Membership target = now;
  erase(target.voters, name);
  erase(target.learners, name);
  if (target.voters.empty()) {
    return fail(Errc::kWouldLoseQuorum,
                "member \"" + name + "\" is the only voter; add and promote another one before removing it");
  }
  return target;
}

Result<raft::Membership> with_heir(const raft::Membership& now, const std::string& name,
                                   const std::string& heir) {
  if (auto known = member_named(now, name); !known) return fail(known.error());
  const auto learner = find(now.learners, heir);
  if (learner == now.learners.end()) {
    if (auto known = member_named(now, heir); !known) return fail(known.error());
    return fail(Errc::kMemberExists,
                "member \"" + heir + "\" is a voter already; remove \"" + name + "\" instead");
  }
  const bool voter = contains(now.voters, name);
  const raft::Member successor = *learner;
  raft::Membership target = now;
  erase(target.voters, name);
  erase(target.learners, name);
  if (voter) {
    erase(target.learners, heir);
    target.voters.push_back(successor);
  }
  return target;
}

}  // namespace holdfast::rpc
