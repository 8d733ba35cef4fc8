#include "rpc/watch_outlet.h"

namespace holdfast::rpc {

WatchOutlet::WatchOutlet(capnp::Capability::Client watcher, Listener& listener)
    : listener_(listener),
      watcher_(kj::mv(watcher)),
      line_(net::DirectLine::to(watcher_, listener)),
      calls_(*this) {}

void WatchOutlet::call(net::SharedCall& call) {
  if (line_) return line_->call(call);
  const auto params = call.params().asReader();
  auto request = watcher_.typelessRequest(call.interface_id(), call.method(), params.targetSize());
  request.set(params);
  calls_.add(request.send().then([this](auto&&) { listener_.answered(nullptr, {}); }));
}

}  // namespace holdfast::rpc
