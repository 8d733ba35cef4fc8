#pragma once

#include <kj/async.h>
#include <kj/refcount.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/ids.h"
#include "base/logging.h"
#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "net/rpc_connection.h"
#include "node/node.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

/// The services of another member, answered by that member alone.
class MemberDoor final : public kj::Refcounted {
 public:
  explicit MemberDoor(schema::Holdfast::Client here);

  /// Service: schema::Config::Client and so on. It may outlive its connection; calls then fail.
  template <typename Service>
  Service get() {
    Service& service = std::get<Service>(services_);
    return service;
  }

 private:
  std::tuple<schema::Leases::Client, schema::Config::Client, schema::Registry::Client, schema::Locks::Client,
             schema::Cluster::Client>
      services_;
};

/// Connections to other members' doors: each made when it is first needed, kept, and dropped when it breaks.
/// A connection that calls were passed on to is also dropped when its member has ceased to lead for a while,
/// so that a call parked at a member that hangs does not hang with it; and when it has gone silent: what lies
/// between two members may forget a connection without telling either of them.
class Members final : private kj::TaskSet::ErrorHandler {
 public:
  Members(net::EventLoop& loop, node::Node& node, MemberId self, LogSink& logging);
  ~Members() noexcept(false);

  /// Waits for a leader and a connection to it. Returns: null if this member leads.
  /// Errors: kUnavailable; nothing was sent to anybody.
  kj::Promise<Result<kj::Own<MemberDoor>>> leader(Duration within);
  /// Errors: a kj exception, as net::connect.
  kj::Promise<kj::Own<MemberDoor>> member(MemberId id, const std::string& client_endpoint);

 private:
  struct Link {
    std::string endpoint;
    std::uint64_t number = 0;                     // tells it from a later link to the same member
    kj::ForkedPromise<void> connected = nullptr;  // done when `door` is set
    std::unique_ptr<net::RpcConnection> connection;
    kj::Maybe<kj::Own<MemberDoor>> door;
    bool led = false;     // calls were passed on to it
    int not_leading = 0;  // checks in a row that found somebody else, or nobody, leading
    int silent = 0;       // checks since it was asked who it is, and has not answered
    int not_asked = 0;    // checks since it was asked last
  };

  Link& link_to(MemberId id, const std::string& client_endpoint);
  kj::Promise<void> open(MemberId id, std::uint64_t number, const Endpoint& endpoint);
  void drop(MemberId id, std::uint64_t number);
  kj::Promise<void> check_links();
  bool is_useless(MemberId id, Link& link);
  void probe(MemberId id, Link& link);
  void taskFailed(kj::Exception&& exception) override;

  net::EventLoop& loop_;
  node::Node& node_;
  const MemberId self_;
  LogSink& logging_;
  std::uint64_t last_number_ = 0;
  std::map<MemberId, std::unique_ptr<Link>> links_;
  kj::TaskSet tasks_;
};

}  // namespace holdfast::rpc
