#include "bench/fleet.h"

#include "net/connect.h"
#include "schema/method.h"

namespace holdfast::bench {
namespace {

constexpr milliseconds kConnectTimeout{5000};

}  // namespace

Fleet::Fleet(net::EventLoop& loop, const Load& load) : loop_(loop) {
  const std::vector<Endpoint> endpoints = targets(load);
  for (std::size_t i = 0; i < load.connections; ++i) connect(endpoints[i % endpoints.size()]);
}

std::vector<Endpoint> Fleet::targets(const Load& load) {
  if (load.spread || load.serializable) return load.endpoints;
  auto stream = loop_.run_until(net::connect(loop_, load.endpoints.front(), kConnectTimeout));
  net::RpcConnection connection(kj::mv(stream));
  auto cluster = connection.bootstrap().castAs<schema::Holdfast>().clusterRequest().send().getCluster();
  auto status = loop_.run_until(cluster.statusRequest().send());
  for (const auto member : status.getStatus().getMembers()) {
    if (member.getRole() != schema::Cluster::Role::LEADER) continue;
    if (auto leader = parse_endpoint(member.getEndpoint().cStr())) return {*leader};
  }
  return load.endpoints;
}

void Fleet::connect(const Endpoint& endpoint) {
  auto stream = loop_.run_until(net::connect(loop_, endpoint, kConnectTimeout));
  connections_.push_back(std::make_unique<net::RpcConnection>(kj::mv(stream)));
  // What a loader does not use of the processor the servers have.
  net::DirectCaller& caller = connections_.back()->direct_caller();
  const auto service = [&](kj::StringPtr name) {
    return caller.service({capnp::typeId<schema::Holdfast>(), schema::method_number<schema::Holdfast>(name)});
  };
  services_.push_back({service("config").castAs<schema::Config>(), service("locks").castAs<schema::Locks>(),
                       service("leases").castAs<schema::Leases>(),
                       service("registry").castAs<schema::Registry>()});
}

}  // namespace holdfast::bench
