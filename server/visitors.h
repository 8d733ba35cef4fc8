#pragma once

#include <kj/async.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/logging.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "net/rpc_connection.h"
#include "net/socket.h"

namespace holdfast::server {

/// The clients' connections. Each lives until its other side ends it, or until its first message did not come
/// in time: whoever connects and says nothing, or a byte now and then, does not keep a place from others.
/// Thread: the loop's.
class Visitors final : private kj::TaskSet::ErrorHandler {
 public:
  /// What a connection from `address`, "host:port", is offered.
  using Door = std::function<net::Offer(std::string address)>;

  Visitors(net::EventLoop& loop, milliseconds first_message_within, LogSink& logging)
      : loop_(loop), patience_(first_message_within), logging_(logging), tasks_(*this) {}

  void take(net::Socket socket, const Door& door);
  /// Closes them all; what they called is cancelled, and lets go of what it holds in the loop's next turn.
  void clear() { visits_.clear(); }
  /// Is nothing owed to anybody, and was nothing asked or answered since this was called last?
  bool are_quiet();

 private:
  struct Visit {
    net::StreamCounters counters;  // outlives the connection
    std::unique_ptr<net::RpcConnection> connection;
    kj::Promise<void> deadline = nullptr;
  };

  void close_if_silent(std::uint64_t number);
  /// Later, and not inside a promise of the connection's own.
  void close_later(std::uint64_t number);
  void taskFailed(kj::Exception&& exception) override;

  net::EventLoop& loop_;
  const milliseconds patience_;
  LogSink& logging_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Visit> visits_;
  std::uint64_t frames_seen_ = 0;  // when their quiet was last looked for
  kj::TaskSet tasks_;
};

}  // namespace holdfast::server
