#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/logging.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/rpc_connection.h"
#include "node/node.h"
#include "rpc/door.h"
#include "schema/api.capnp.h"
#include "server/loop.h"
#include "tests/rpc/memory_stores.h"

namespace holdfast::test {

class Cluster;

/// A real node and its real door, on a port of its own; only disk and peers' transport are imitated.
class Member final : public node::Transport {
 public:
  Member(Cluster& cluster, std::size_t number);

  void send(raft::Message message) override;
  void set_members(const raft::Membership&, Index) override {}
  /// No connection in either direction any more, as if its process had died.
  void kill();

  MemberId id;
  std::string name;
  std::string endpoint;
  bool alive = true;

  Cluster& cluster;
  server::NodeLoop loop;
  MemoryLog log;
  MemoryImage image;
  NoSnapshots snapshots;
  std::unique_ptr<node::Node> node;
  std::unique_ptr<rpc::Door> door;
  std::unique_ptr<net::Listener> listener;
  std::vector<std::unique_ptr<net::RpcConnection>> connections;
};

/// Members in one thread, and clients that reach them over loopback.
class Cluster {
 public:
  explicit Cluster(std::size_t members = 1);
  ~Cluster() noexcept(false);

  /// A new connection to the member's door. It lives as long as the cluster.
  schema::Holdfast::Client connect(Member& member);
  void close_connection(std::size_t number) { clients_[number].reset(); }

  /// Runs the loop until then; fails the test after ten seconds.
  template <typename T>
  auto wait(kj::Promise<T> promise) {
    return loop.run_until(loop.timer().timeoutAfter(10 * kj::SECONDS, kj::mv(promise)));
  }
  /// Sends the request and waits for its results.
  template <typename Request>
  auto call(Request&& request) {
    using Results = decltype(request.send().wait(loop.wait_scope()));
    return wait(kj::Promise<Results>(request.send()));
  }
  /// Lets the loop go on for a little.
  void run_for(milliseconds time);
  bool run_until(const std::function<bool()>& condition);

  Member& leader();
  Member& follower();

  net::EventLoop loop;
  NullLogSink logging;
  std::vector<std::unique_ptr<Member>> members;

 private:
  std::vector<std::unique_ptr<net::RpcConnection>> clients_;
};

}  // namespace holdfast::test
