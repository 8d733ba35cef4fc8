#include "bench/fleet.h"

#include "net/connect.h"

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
  auto door = connections_.back()->bootstrap().castAs<schema::Holdfast>();
  auto config = door.configRequest().send();
  auto locks = door.locksRequest().send();
  auto leases = door.leasesRequest().send();
  auto registry = door.registryRequest().send();
  services_.push_back({loop_.run_until(kj::mv(config)).getConfig(), loop_.run_until(kj::mv(locks)).getLocks(),
                       loop_.run_until(kj::mv(leases)).getLeases(),
                       loop_.run_until(kj::mv(registry)).getRegistry()});
}

}  // namespace holdfast::bench
