#include <algorithm>

#include "client/clock.h"
#include "client/registry_watch.h"
#include "client/watch_guards.h"
#include "holdfast/watch.h"

namespace holdfast::client {

ServiceWatch::ServiceWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServiceWatch::ServiceWatch(ServiceWatch&&) noexcept = default;
ServiceWatch& ServiceWatch::operator=(ServiceWatch&&) noexcept = default;
ServiceWatch::~ServiceWatch() = default;

ServiceWatch::Impl::~Impl() {
  runtime->post([number = number](sdk::Engine& engine) {
    if (auto* watch = engine.find<sdk::RegistryWatch>(number)) {
      watch->stop();
    }
  });
}

Result<std::optional<std::vector<Instance>>> ServiceWatch::Impl::next(std::optional<milliseconds> limit) {
  Instant deadline =
      limit ? sdk::now() + std::clamp<Duration>(*limit, Duration(0), std::chrono::hours(24 * 365)) : kNever;
  for (;;) {
    std::optional<Duration> left;
    if (limit) {
      left = std::max<Duration>(deadline - sdk::now(), Duration(0));
    }
    auto state = queue->pop(left);
    if (!state || !*state) {
      return state;
    }
    // After a reconnect the same instances come again.
    if (last != **state) {
      last = **state;
      return state;
    }
  }
}

Result<std::vector<Instance>> ServiceWatch::next() {
  auto state = impl_->next(std::nullopt);
  if (!state) {
    return tl::unexpected(std::move(state.error()));
  }
  return std::move(**state);
}

Result<std::optional<std::vector<Instance>>> ServiceWatch::next(milliseconds limit) {
  return impl_->next(limit);
}

void ServiceWatch::cancel() { impl_->queue->cancel(); }

}  // namespace holdfast::client
