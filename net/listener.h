#pragma once

#include <memory>

#include "base/callback.h"
#include "base/endpoint.h"
#include "base/limits.h"
#include "base/logging.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "net/socket.h"

namespace holdfast::net {

/// Accepts connections until it is destroyed. When descriptors run out it waits a little and goes on; a
/// connection beyond the cap is closed at once.
class Listener {
 public:
  struct Options {
    std::size_t max_connections = limits::kMaxConnections;  ///< of this listener, alive at a time
    LogSink* logging = nullptr;                             ///< outlives the listener, if any
  };

  /// Port 0 takes any free port: see endpoint(). `accepted` runs on the loop.
  /// Errors: kUnavailable, "cannot listen on 127.0.0.1:2379: address already in use".
  static Result<std::unique_ptr<Listener>> open(EventLoop& loop, const Endpoint& endpoint, Options options,
                                                Callback<void(Socket)> accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Where it listens, with the port that was bound.
  const Endpoint& endpoint() const;
  /// Sockets that were accepted and still exist.
  std::size_t connections() const;

 private:
  class State;
  explicit Listener(std::shared_ptr<State> state);
  // Owners: this listener, and its asio operation in flight until the handler has run.
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::net
