#include "examples/log_agent/followed_key.h"

#include <utility>

namespace log_agent {

namespace client = holdfast::client;

client::Result<std::optional<FollowedKey::Value>> FollowedKey::next(client::milliseconds limit) {
  if (!watch_) return begin();
  auto event = watch_->next(limit);
  if (!event) {
    watch_.reset();  // the state we missed is read again, whatever it was that ended the watch
    return tl::unexpected(std::move(event.error()));
  }
  if (!*event) return std::optional<Value>();
  const bool is_put = (*event)->type == client::WatchEvent::Type::kPut;
  return Value{is_put ? std::optional((*event)->entry.value) : std::nullopt};
}

client::Result<std::optional<FollowedKey::Value>> FollowedKey::begin() {
  auto found = client_.get(key_);
  if (!found) return tl::unexpected(std::move(found.error()));
  client::WatchOptions options;
  options.from_revision = found->revision + 1;
  auto watch = client_.watch(key_, options);
  if (!watch) return tl::unexpected(std::move(watch.error()));
  watch_ = std::move(*watch);
  if (found->entries.empty()) return Value{};
  return Value{found->entries.front().value};
}

}  // namespace log_agent
