#include "bench/fleet.h"

#include "net/connect.h"

namespace holdfast::bench {
namespace {

constexpr milliseconds kConnectTimeout{5000};
constexpr std::uint16_t kNoWatch = UINT16_MAX;

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
  net::RpcConnection& connection = *connections_.back();
  auto door = connection.bootstrap().castAs<schema::Holdfast>();
  // What a loader does not use of the processor the servers have.
  const auto direct = [&](std::uint16_t method, std::uint16_t watch, capnp::Capability::Client service) {
    return connection.direct_caller().service({capnp::typeId<schema::Holdfast>(), method}, watch,
                                              kj::mv(service));
  };
  services_.push_back({direct(1, 3, door.configRequest().send().getConfig()).castAs<schema::Config>(),
                       direct(3, kNoWatch, door.locksRequest().send().getLocks()).castAs<schema::Locks>(),
                       direct(0, kNoWatch, door.leasesRequest().send().getLeases()).castAs<schema::Leases>(),
                       direct(2, 4, door.registryRequest().send().getRegistry()).castAs<schema::Registry>()});
}

}  // namespace holdfast::bench
