#pragma once

#include <string>

#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

/// The clients' door to one node. Thread: the loop's. Connections that hold what visit() gave are closed
/// before the door is destroyed.
class Door {
 public:
  Door(net::EventLoop& loop, node::Node& node, Identity identity, LogSink& logging)
      : desk_(loop, node, std::move(identity), logging) {}

  /// The bootstrap capability of a connection from `address`, "host:port".
  schema::Holdfast::Client visit(std::string address);

 private:
  Desk desk_;
};

}  // namespace holdfast::rpc
