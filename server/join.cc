#include "server/join.h"

#include <algorithm>
#include <string>
#include <utility>

#include "net/connect.h"
#include "net/rpc_connection.h"
#include "schema/api.capnp.h"
#include "server/identity.h"

namespace holdfast::server {

namespace {

constexpr milliseconds kOneAttempt{3000};
constexpr milliseconds kBetweenRounds{200};

ClusterView read_view(schema::Cluster::MemberList::Reader in) {
  using Part = schema::Cluster::Part;
  ClusterView view;
  view.cluster = ClusterId(in.getClusterId());
  for (const auto& member : in.getMembers()) {
    auto& part = member.getPart() == Part::LEARNER ? view.membership.learners : view.membership.voters;
    part.push_back({MemberId(member.getId()), member.getName().cStr(), member.getPeerAddress().cStr(),
                    member.getDataId().cStr()});
  }
  for (const auto& founder : in.getFounders()) {
    view.founders.push_back({{}, founder.getName().cStr(), founder.getPeerAddress().cStr()});
  }
  return view;
}

Result<ClusterView> ask_one(net::EventLoop& loop, const Endpoint& endpoint) {
  try {
    net::RpcConnection connection(loop.run_until(net::connect(loop, endpoint, kOneAttempt)));
    auto cluster = connection.bootstrap().castAs<schema::Holdfast>().clusterRequest().send().getCluster();
    auto request = cluster.membersRequest();
    request.initCall().setTimeoutMs(static_cast<std::uint32_t>(kOneAttempt.count()));
    auto answer = loop.run_until(loop.timer().timeoutAfter(
        kOneAttempt.count() * kj::MILLISECONDS,
        kj::Promise<capnp::Response<schema::Cluster::MembersResults>>(request.send())));
    const auto outcome = answer.getOutcome();
    if (outcome.isError()) {
      return fail(Errc::kUnavailable, std::string(outcome.getError().getMessage().cStr()));
    }
    return read_view(outcome.getOk());
  } catch (const kj::Exception& exception) {
    return fail(Errc::kUnavailable, exception.getDescription().cStr());
  }
}

}  // namespace

Result<ClusterView> ask_cluster(net::EventLoop& loop, const std::vector<Endpoint>& endpoints,
                                Duration within) {
  const Instant deadline = loop.now() + within;
  while (true) {
    Error last;
    for (const Endpoint& endpoint : endpoints) {
      auto view = ask_one(loop, endpoint);
      if (view) return view;
      last = {Errc::kUnavailable,
              "no member of the cluster could be asked who takes part; the last one, " +
                  endpoint.to_string() + ", said: " + view.error().message,
              {}};
    }
    if (loop.now() >= deadline) return fail(std::move(last));
    loop.run_until(loop.timer().afterDelay(kBetweenRounds.count() * kj::MILLISECONDS));
  }
}

const raft::Member* find_member(const raft::Membership& membership, const std::string& name) {
  for (const auto* part : {&membership.voters, &membership.learners, &membership.outgoing_voters}) {
    const auto found = std::find_if(part->begin(), part->end(),
                                    [&](const raft::Member& member) { return member.name == name; });
    if (found != part->end()) return &*found;
  }
  return nullptr;
}

Result<storage::Identity> joining_identity(const Options& options, const ClusterView& cluster) {
  storage::Identity identity;
  identity.name = options.name.value_or(kDefaultName);
  if (options.cluster_token && is_other_token(*options.cluster_token, cluster.cluster, cluster.founders)) {
    return fail(
        Errc::kInvalidArgument,
        "the cluster that --join leads to has another --cluster-token than this member was given; write "
        "the token that the cluster was set up with, or leave it out, or join the cluster that has it");
  }
  const Endpoint address = options.peer_advertise.value_or(options.peer_listen);
  const raft::Member* self = find_member(cluster.membership, identity.name);
  if (self == nullptr) {
    return fail(Errc::kMemberNotFound, "the cluster has no member \"" + identity.name +
                                           "\" yet; first tell it: holdfast member add " + identity.name +
                                           " " + address.to_string());
  }
  if (!self->data_id.empty()) {
    return fail(Errc::kMemberExists,
                "member \"" + identity.name +
                    "\" has joined before, with another data directory; start it with that one, or, if it is "
                    "lost, remove the member and add it again: holdfast member remove " +
                    identity.name + ", holdfast member add " + identity.name + " " + address.to_string());
  }
  if (self->peer_address != address.to_string()) {
    return fail(Errc::kInvalidArgument, "the cluster reaches member \"" + identity.name + "\" at " +
                                            self->peer_address + ", but this one says " +
                                            address.to_string() +
                                            "; say it with --peer-listen or --peer-advertise, or add the "
                                            "member with this address");
  }
  identity.cluster = cluster.cluster;
  identity.member = self->id;
  identity.membership = cluster.membership;
  identity.founders = cluster.founders;
  return identity;
}

}  // namespace holdfast::server
