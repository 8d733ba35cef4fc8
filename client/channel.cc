#include "client/channel.h"

#include <algorithm>
#include <utility>

#include "base/endpoint.h"
#include "client/clock.h"
#include "net/connect.h"

namespace holdfast::sdk {

Channel::Channel(net::EventLoop& loop, session::Endpoints endpoints, milliseconds connect_timeout)
    : loop_(loop), connect_timeout_(connect_timeout), endpoints_(std::move(endpoints)), tasks_(*this) {}

kj::Promise<Result<kj::Own<Link>>> Channel::link(Instant deadline) {
  using Linked = Result<kj::Own<Link>>;
  if (!retired_.empty()) {
    prune_later();
  }
  if (current_.get() != nullptr) {
    return Linked(kj::addRef(*current_));
  }
  auto unreachable = [this]() -> Linked {
    return fail(Errc::kUnavailable, "no member could be reached: " + endpoints_.describe());
  };
  Instant start = now();
  if (start >= deadline) {
    return unreachable();
  }
  if (!connecting_) {
    connecting_ = true;
    connected_ = connect().fork();
  }
  return connected_.addBranch()
      .then([this, deadline]() { return link(deadline); })
      .exclusiveJoin(loop_.timer().afterDelay(delay(start, deadline)).then(std::move(unreachable)));
}

void Channel::leave(const Link& link, std::string why) {
  // Of all the calls on a link that failed, the first one's word is enough.
  if (current_.get() == &link) {
    endpoints_.failed(link.address(), std::move(why), now());
    retire();
  }
}

kj::Promise<bool> Channel::move_to(std::string address) {
  if (current_.get() != nullptr && current_->address() == address) {
    return true;
  }
  endpoints_.learn(address);
  return try_address(std::move(address));
}

kj::Promise<void> Channel::connect() {
  auto address = endpoints_.next(now());
  if (!address) {
    return loop_.timer().afterDelay(delay(now(), endpoints_.ready_at())).then([this]() { return connect(); });
  }
  return try_address(std::move(*address)).then([this](bool reached) -> kj::Promise<void> {
    if (!reached && current_.get() == nullptr) {
      return connect();
    }
    connecting_ = false;
    return kj::READY_NOW;
  });
}

kj::Promise<bool> Channel::try_address(std::string address) {
  auto endpoint = parse_endpoint(address);
  if (!endpoint) {
    endpoints_.failed(address, endpoint.error().message, now());
    return false;
  }
  return net::connect(loop_, *endpoint, connect_timeout_)
      .then(
          [this, address](kj::Own<net::MessageStream> stream) {
            endpoints_.succeeded(address);
            adopt(kj::refcounted<Link>(loop_, kj::mv(stream), address));
            return true;
          },
          [this, address](kj::Exception&& exception) {
            endpoints_.failed(address, exception.getDescription().cStr(), now());
            return false;
          });
}

void Channel::adopt(kj::Own<Link> link) {
  retire();
  current_ = kj::mv(link);
  const Link* watched = current_.get();
  // The branch does not keep the link alive; it is gone before the link is, for tasks_ ends first.
  tasks_.add(current_->ended().then([this, watched]() {
    if (current_.get() == watched) {
      endpoints_.failed(watched->address(), "the connection was lost", now());
      retire();
    } else {
      prune_later();
    }
  }));
}

void Channel::retire() {
  if (current_.get() != nullptr) {
    retired_.push_back(kj::mv(current_));
    prune_later();
  }
}

void Channel::prune_later() {
  // A link is destroyed in an event of its own, never inside one of its own promises.
  tasks_.add(kj::evalLater([this]() {
    retired_.erase(std::remove_if(retired_.begin(), retired_.end(),
                                  [](kj::Own<Link>& link) { return !link->isShared(); }),
                   retired_.end());
  }));
}

}  // namespace holdfast::sdk
