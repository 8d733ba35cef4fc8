#pragma once

#include <kj/async.h>

#include <memory>

#include "base/callback.h"
#include "base/endpoint.h"
#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "net/message_stream.h"
#include "net/socket.h"

namespace holdfast::net {

/// One attempt to reach an endpoint: resolves its name, tries each address, for at most `timeout` in all.
/// Destroying it gives up; `done` does not run then. A name (not a numeric address) is looked up by asio on a
/// thread of its own; the end of the loop waits until the system has answered.
class Connector {
 public:
  /// `done` runs on the loop, never inside the constructor, and may destroy the connector.
  /// Errors: kUnavailable, "cannot connect to 10.0.0.7:2379: connection refused".
  Connector(EventLoop& loop, const Endpoint& endpoint, milliseconds timeout,
            Callback<void(Result<Socket>)> done);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

 private:
  class State;
  // Owners: this connector, and its asio operations in flight until their handlers have run.
  std::shared_ptr<State> state_;
};

/// Errors: a kj exception of type DISCONNECTED with the connector's message. Dropping the promise gives up.
kj::Promise<kj::Own<MessageStream>> connect(EventLoop& loop, const Endpoint& endpoint, milliseconds timeout,
                                            FramedStreamOptions options = {});

}  // namespace holdfast::net
