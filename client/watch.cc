#include "holdfast/watch.h"

#include "client/config_watch.h"
#include "client/runtime.h"
#include "client/watch_guards.h"

namespace holdfast::client {

Watch::Watch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

Watch::Impl::~Impl() {
  runtime->post([number = number](sdk::Engine& engine) {
    if (auto* watch = engine.find<sdk::ConfigWatch>(number)) {
      watch->stop();
    }
  });
}

std::uint64_t Watch::start_revision() const { return impl_->start; }

Result<WatchEvent> Watch::next() {
  auto event = impl_->queue->pop(std::nullopt);
  if (!event) {
    return tl::unexpected(std::move(event.error()));
  }
  return std::move(**event);
}

Result<std::optional<WatchEvent>> Watch::next(milliseconds limit) { return impl_->queue->pop(limit); }

void Watch::cancel() { impl_->queue->cancel(); }

}  // namespace holdfast::client
