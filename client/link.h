#pragma once

#include <kj/async.h>
#include <kj/refcount.h>

#include <string>

#include "net/event_loop.h"
#include "net/rpc_connection.h"
#include "schema/api.capnp.h"

namespace holdfast::sdk {

/// One connection to one member, and the services reached over it. Counted by those with a call on its way.
class Link final : public kj::Refcounted {
 public:
  Link(net::EventLoop& loop, kj::Own<net::MessageStream> stream, std::string address);

  const std::string& address() const { return address_; }
  schema::Leases::Client& leases() { return leases_; }
  schema::Config::Client& config() { return config_; }
  schema::Registry::Client& registry() { return registry_; }
  schema::Locks::Client& locks() { return locks_; }
  schema::Cluster::Client& cluster() { return cluster_; }

  /// Done when the connection has ended.
  kj::Promise<void> ended() { return ended_.addBranch(); }
  /// Done when a call that waits for long had better ask again: the connection ended, the member has not
  /// answered a probe, has known no leader for a while, or follows another leader than before (a call that it
  /// passed on may hang at the old one). From the first call on the member is probed.
  kj::Promise<void> useless();
  /// The last probe found the member in touch with a leader.
  bool in_touch() const { return in_touch_; }

 private:
  kj::Promise<void> probe(std::string leader, int leaderless);

  net::EventLoop& loop_;
  std::string address_;

  // In the order in which they lean on each other: destroyed from the last.
  net::RpcConnection connection_;
  schema::Holdfast::Client service_;
  schema::Leases::Client leases_;
  schema::Config::Client config_;
  schema::Registry::Client registry_;
  schema::Locks::Client locks_;
  schema::Cluster::Client cluster_;
  kj::ForkedPromise<void> ended_;
  kj::ForkedPromise<void> useless_ = nullptr;
  bool probing_ = false;
  bool in_touch_ = false;
};

}  // namespace holdfast::sdk
