#pragma once

#include <schema/api.capnp.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "bench/load.h"
#include "net/event_loop.h"
#include "net/rpc_connection.h"

namespace holdfast::bench {

/// What a connection offers.
struct Services {
  schema::Config::Client config;
  schema::Locks::Client locks;
  schema::Leases::Client leases;
  schema::Registry::Client registry;
};

/// The connections of a load.
class Fleet {
 public:
  /// Opens load.connections connections, one after the other. Errors: a kj exception if one cannot be made.
  Fleet(net::EventLoop& loop, const Load& load);

  Services& of(std::size_t lane) { return services_[lane % services_.size()]; }

 private:
  /// The leader, unless the calls are to stay where they are.
  std::vector<Endpoint> targets(const Load& load);
  void connect(const Endpoint& endpoint);

  net::EventLoop& loop_;
  std::vector<std::unique_ptr<net::RpcConnection>> connections_;
  std::vector<Services> services_;  // of each connection
};

}  // namespace holdfast::bench
