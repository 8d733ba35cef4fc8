#pragma once

#include <kj/refcount.h>
#include <kj/timer.h>

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "net/direct_call.h"
#include "net/event_loop.h"
#include "node/node.h"
#include "rpc/announcement.h"
#include "rpc/members.h"
#include "rpc/open_reads.h"
#include "rpc/turns.h"

namespace holdfast::rpc {

/// Who a member is, to its clients.
struct Identity {
  ClusterId cluster;
  MemberId member;
  std::string name;
  std::string client_endpoint;
  std::vector<raft::Member> founders = {};  ///< of the cluster; empty: not known here
};

/// What all services of one node share. It outlives every connection.
struct Desk {
  Desk(net::EventLoop& loop_in, node::Node& node_in, Identity identity_in, LogSink& logging)
      : timer(loop_in.timer()),
        node(node_in),
        identity(std::move(identity_in)),
        members(loop_in, node_in, identity.member, logging),
        open_reads(loop_in.timer()),
        answers(loop_in) {}

  /// Calls that wait elsewhere without a bound of their own end now.
  void stop() { stopping_.fulfiller->fulfill(); }
  /// Fails with DISCONNECTED when that is so.
  template <typename T>
  kj::Promise<T> until_stopping(kj::Promise<T> waiting) {
    return waiting.exclusiveJoin(when_stopping_.addBranch().then([]() -> kj::Promise<T> {
      return KJ_EXCEPTION(DISCONNECTED, "the member that passed the call on is stopping");
    }));
  }

  kj::Timer& timer;
  node::Node& node;
  const Identity identity;
  Members members;
  OpenReads open_reads;
  Turns answers;              ///< that could be made now
  Announcement announcement;  ///< the last one to watchers of the configuration
  /// The call that a service is being called for, if it came past the RPC system: see answer().
  net::DirectCall* direct = nullptr;

 private:
  kj::PromiseFulfillerPair<void> stopping_ = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> when_stopping_ = stopping_.promise.fork();
};

/// Whether a call that is the leader's to answer is passed on, or refused.
enum class Reach { kCluster, kThisMember };

/// One connection, as its services see it.
struct Visitor final : public kj::Refcounted {
  Visitor(Desk& desk_in, std::string address_in) : desk(desk_in), address(std::move(address_in)) {}

  Desk& desk;
  const std::string address;   ///< "host:port" it comes from
  std::size_t watches = 0;     ///< open, at most limits::kMaxWatchesPerConnection
  node::WatchPlace place = 0;  ///< of its watches; zero until it has had one
};

}  // namespace holdfast::rpc
