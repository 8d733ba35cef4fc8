#pragma once

#include <functional>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "server/options.h"
#include "storage/identity.h"

/// How a new member comes into a running cluster: it asks any of its members who takes part, finds itself
/// among them, and begins with an empty log, which the leader fills. docs/decisions/0019-joining.md
namespace holdfast::server {

/// A cluster as one of its members described it.
struct ClusterView {
  ClusterId cluster;
  raft::Membership membership;  ///< those who leave count as voters: this is to know whom to talk to
  std::vector<raft::Member>
      founders;  ///< names and peer addresses; empty: the one that answered has no record
};

/// Asks the endpoints in turn until one answers or `within` is over. Linearizable: who was added before is
/// in the answer. Errors: kUnavailable, with what the last one said.
Result<ClusterView> ask_cluster(net::EventLoop& loop, const std::vector<Endpoint>& endpoints,
                                Duration within);

/// The member that the options describe, as the cluster knows it. Errors: kMemberNotFound: it was not added;
/// kMemberExists: under this name there is another data directory already; kInvalidArgument: the cluster has
/// another token than the options give, or it was added with another address.
Result<storage::Identity> joining_identity(const Options& options, const ClusterView& cluster);

/// The member of that name; nullptr if there is none.
const raft::Member* find_member(const raft::Membership& membership, const std::string& name);

}  // namespace holdfast::server
