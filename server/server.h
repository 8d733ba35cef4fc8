#pragma once

#include <kj/async.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/callback.h"
#include "base/logging.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/rpc_connection.h"
#include "node/node.h"
#include "peer/transport.h"
#include "rpc/door.h"
#include "server/boot.h"
#include "server/loop.h"
#include "server/options.h"
#include "server/refusals.h"
#include "server/visitors.h"

namespace holdfast::server {

/// What holdfastd ends with; see its --help.
constexpr int kStopped = 0;
constexpr int kCannotRun = 1;
constexpr int kWrongOptions = 2;
constexpr int kDiskFailed = 74;

/// One member, wired: its disk, its node, the peers' transport and the clients' door, on one loop. Thread:
/// the loop's.
///
///     open() -> start() -> running --stop()--> handing over, last image -> ended(kStopped)
///                            `-- refused by a majority of the members ---> ended(kCannotRun)
class Server final : private kj::TaskSet::ErrorHandler {
 public:
  /// Takes the data directory and both ports, and reads the state. `ended` runs once, on the loop; the owner
  /// then destroys the server, outside of it.
  /// Errors: what keeps it from running, for one line on stderr.
  static Result<std::unique_ptr<Server>> open(const Options& options, net::EventLoop& loop, LogSink& logging,
                                              Callback<void(int status)> ended);
  /// Requires: not inside a handler or promise of the loop.
  ~Server() noexcept(false);

  void start();
  /// Hands leadership over, answers those that wait, writes a last image. Takes a few seconds at most.
  void stop();
  /// Stopping took too long, and something is still under way: the process ends without waiting for it.
  bool was_cut_short() const { return cut_short_; }

  const std::string& name() const { return disk_.identity.name; }
  const std::string& client_endpoint() const { return client_endpoint_; }
  node::Node& node() { return *node_; }

 private:
  Server(const Options& options, net::EventLoop& loop, LogSink& logging, Callback<void(int)> ended);

  Result<void> take_ports();
  /// Where other members reach this one.
  std::string peer_address() const;
  Result<void> make_node();
  storage::Poster poster();
  storage::FatalHandler fatal_handler();
  peer::Events peer_events();
  void accept(net::Socket socket);
  void tell_when_ready();
  void peer_refused(MemberId member, const std::string& reason);
  void finish();
  void close_when_quiet(kj::TimePoint at_the_latest);
  void end(int status);
  void taskFailed(kj::Exception&& exception) override;

  // Constant after construction.
  const Options options_;
  net::EventLoop& loop_;
  LogSink& logging_;

  // The loop's. In the order in which they lean on each other: destroyed from the last.
  Callback<void(int)> ended_;
  bool started_ = false;
  bool stopping_ = false;
  bool finishing_ = false;
  bool cut_short_ = false;
  std::string client_endpoint_;
  Refusals refusals_;
  NodeLoop node_loop_;
  Disk disk_;
  std::unique_ptr<peer::Transport> transport_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<rpc::Door> door_;
  std::unique_ptr<net::Listener> listener_;
  Visitors visitors_;
  kj::TaskSet tasks_;
};

}  // namespace holdfast::server
