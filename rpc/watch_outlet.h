#pragma once

#include <capnp/capability.h>
#include <kj/async.h>

#include <memory>

#include "net/direct_line.h"

namespace holdfast::rpc {

/// The way to a client's watcher: past the RPC system if the watcher came so, else by it. One call at a time.
class WatchOutlet final : private kj::TaskSet::ErrorHandler {
 public:
  using Listener = net::DirectLine::Listener;

  WatchOutlet(capnp::Capability::Client watcher, Listener& listener);

  /// The listener hears of the answer, later. Throws if it is not sent.
  void call(net::SharedCall& call);
  /// What was called leaves soon.
  void hasten() {
    if (line_) line_->hasten();
  }
  bool has_room() const { return !line_ || line_->has_room(); }
  /// Requires: there is no room. The listener hears when there is.
  void when_room() { line_->when_room(); }

 private:
  void taskFailed(kj::Exception&& exception) override { listener_.answered(kj::mv(exception), {}); }

  Listener& listener_;
  capnp::Capability::Client watcher_;
  const std::unique_ptr<net::DirectLine> line_;
  kj::TaskSet calls_;  // through the RPC system
};

}  // namespace holdfast::rpc
