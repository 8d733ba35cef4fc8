#include "server/identity.h"

#include <algorithm>

#include "base/digest.h"
#include "base/member_name.h"

namespace holdfast::server {

namespace {

std::string token_of(const Options& options) { return options.cluster_token.value_or(kDefaultToken); }

/// No data directory is on record when a cluster is founded; some are whenever somebody joins it.
bool has_joined(const storage::Identity& identity) {
  const auto is_known = [](const raft::Member& member) { return !member.data_id.empty(); };
  return std::any_of(identity.membership.voters.begin(), identity.membership.voters.end(), is_known);
}

/// Zero means "none" for every id.
std::uint64_t not_zero(std::uint64_t digest) { return digest == 0 ? 1 : digest; }

}  // namespace

ClusterId cluster_id(const std::string& token, std::vector<raft::Member> founders) {
  std::sort(founders.begin(), founders.end(),
            [](const raft::Member& a, const raft::Member& b) { return a.name < b.name; });
  Digest digest;
  digest.add(token).add(founders.size());
  for (const raft::Member& member : founders) digest.add(member.name).add(member.peer_address);
  return ClusterId(not_zero(digest.value()));
}

Result<storage::Identity> found_identity(const Options& options) {
  storage::Identity identity;
  identity.name = options.name.value_or(kDefaultName);
  std::vector<raft::Member> founders;
  bool named = options.cluster.empty();
  if (options.cluster.empty()) {
    const Endpoint peer = options.peer_advertise.value_or(options.peer_listen);
    founders.push_back(raft::Member{{}, identity.name, peer.to_string()});
  }
  for (const ClusterMember& member : options.cluster) {
    const bool self = member.name == identity.name;
    named = named || self;
    // All members must read the same list: the ids come from it.
    if (self && options.peer_advertise.value_or(member.peer) != member.peer) {
      return fail(Errc::kInvalidArgument, "--peer-advertise " + options.peer_advertise->to_string() +
                                              " is not this member's address in --cluster, " +
                                              member.peer.to_string() + "; write the same on all members");
    }
    founders.push_back(raft::Member{{}, member.name, member.peer.to_string()});
  }
  if (!named) {
    return fail(Errc::kInvalidArgument, "--cluster does not name this member, \"" + identity.name +
                                            "\"; add it, or say with --name which of them this is");
  }
  identity.cluster = cluster_id(token_of(options), founders);
  for (raft::Member& member : founders) member.id = member_id(identity.cluster, member.name);
  identity.member = member_id(identity.cluster, identity.name);
  identity.membership.voters = std::move(founders);
  return identity;
}

std::vector<raft::Member> founders_of(const storage::Identity& identity) {
  return has_joined(identity) ? identity.founders : identity.membership.voters;
}

bool is_other_token(const std::string& token, ClusterId cluster, const std::vector<raft::Member>& founders) {
  return !founders.empty() && cluster_id(token, founders) != cluster;
}

Result<void> check_identity(const storage::Identity& identity, const Options& options) {
  const std::string directory = options.data_dir.string();
  if (options.name && *options.name != identity.name) {
    return fail(Errc::kInvalidArgument, "data directory " + directory + " belongs to member \"" +
                                            identity.name + "\", not to --name " + *options.name +
                                            "; use the directory of that member");
  }
  if (options.cluster_token &&
      is_other_token(*options.cluster_token, identity.cluster, founders_of(identity))) {
    return fail(Errc::kInvalidArgument,
                "data directory " + directory +
                    " belongs to a cluster with another --cluster-token; use the token it was "
                    "set up with, or another directory");
  }
  return {};
}

}  // namespace holdfast::server
