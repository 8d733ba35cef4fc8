#pragma once

#include <string>

#include "net/direct_calls.h"
#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

/// The clients' door to one node. Thread: the loop's. Connections that hold what visit() gave are closed, and
/// the loop has turned once, before the door and the node are destroyed: what a closed connection cancels
/// ends in the loop's next turn.
class Door {
 public:
  Door(net::EventLoop& loop, node::Node& node, Identity identity, LogSink& logging)
      : desk_(loop, node, std::move(identity), logging) {}

  /// What a connection from `address`, "host:port", is offered: schema::Holdfast and its services.
  net::Offer visit(std::string address);
  /// The node is stopping: calls that wait at another member's for as long as it takes are refused.
  void stop() { desk_.stop(); }

 private:
  Desk desk_;
};

}  // namespace holdfast::rpc
