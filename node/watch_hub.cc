#include "node/watch_hub.h"

#include <deque>
#include <unordered_map>
#include <utility>
#include <variant>

#include "node/config_watchers.h"
#include "node/lifetime.h"
#include "node/registry_watchers.h"

namespace holdfast::node {

class WatchHub::Impl {
 public:
  Impl(const state::Machine& machine, ImageStore& image_store, Loop& loop, const Bounds& bounds)
      : loop_(loop),
        config_(machine, image_store, bounds, [this](WatchId id) { notify(id); }),
        registry_(machine, [this](WatchId id) { notify(id); }) {}

  WatchPlace new_place() { return ++last_place_; }
  /// All that is told in the order of ids is told place by place.
  WatchId open(WatchSink& sink, WatchPlace place) {
    WatchId id = 0;
    do {
      id = (static_cast<WatchId>(place) << 32) + ++last_watch_;
    } while (sinks_.count(id) > 0);
    sinks_.emplace(id, Sink{&sink});
    return id;
  }
  void close(WatchId id) {
    sinks_.erase(id);
    if (!config_.close(id)) registry_.close(id);
  }
  /// From here on the watch may be told again.
  void taking(WatchId id) { sinks_.at(id).told = false; }

  ConfigWatchers& config() { return config_; }
  RegistryWatchers& registry() { return registry_; }

 private:
  struct Sink {
    WatchSink* sink = nullptr;
    bool told = false;
  };

  /// Whoever is told may take, send and close at once; so many a turn, that heartbeats need not wait for all
  /// watchers of a key.
  static constexpr int kToldATurn = 128;

  /// Told on a later turn: all that one turn applies comes with one telling, and whoever is told finds the
  /// hub at rest.
  void notify(WatchId id) {
    Sink& sink = sinks_.at(id);
    if (sink.told) return;
    sink.told = true;
    to_tell_.push_back(id);
    if (!std::exchange(telling_, true)) post();
  }
  void post() {
    loop_.post(lifetime_.guard([this] { tell(); }));
  }
  void tell() {
    for (int i = 0; i < kToldATurn && !to_tell_.empty(); ++i) {
      const auto found = sinks_.find(to_tell_.front());
      to_tell_.pop_front();
      if (found != sinks_.end() && found->second.told) found->second.sink->ready();
    }
    telling_ = !to_tell_.empty();
    if (telling_) post();
  }

  Loop& loop_;
  std::unordered_map<WatchId, Sink> sinks_;
  std::deque<WatchId> to_tell_;
  bool telling_ = false;
  std::uint32_t last_watch_ = 0;
  WatchPlace last_place_ = 0;
  ConfigWatchers config_;
  RegistryWatchers registry_;
  Lifetime lifetime_;
};

WatchHub::WatchHub(const state::Machine& machine, ImageStore& image_store, Loop& loop, const Bounds& bounds)
    : impl_(std::make_unique<Impl>(machine, image_store, loop, bounds)) {}

WatchHub::~WatchHub() = default;

WatchPlace WatchHub::new_place() { return impl_->new_place(); }

WatchId WatchHub::open_config(config::KeyRange range, Revision from, WatchSink& sink, WatchPlace place) {
  WatchId id = impl_->open(sink, place);
  impl_->config().open(id, std::move(range), from);
  return id;
}

ConfigBatch WatchHub::take_config(WatchId watch, std::size_t most_bytes) {
  impl_->taking(watch);
  return impl_->config().take(watch, most_bytes);
}

WatchId WatchHub::open_registry(std::string service, WatchSink& sink) {
  WatchId id = impl_->open(sink, 0);
  impl_->registry().open(id, std::move(service));
  return id;
}

RegistryBatch WatchHub::take_registry(WatchId watch, std::size_t most_changes) {
  impl_->taking(watch);
  return impl_->registry().take(watch, most_changes);
}

void WatchHub::close(WatchId watch) { impl_->close(watch); }

void WatchHub::count(Held& held) const { impl_->config().count(held); }

void WatchHub::replacing(const state::Machine& next) { impl_->registry().replacing(next); }

void WatchHub::replaced(Revision before) { impl_->config().replaced(before); }

void WatchHub::on_events(const std::vector<state::Event>& events) {
  impl_->config().on_events(events);
  for (const state::Event& event : events) {
    if (const auto* change = std::get_if<registry::Change>(&event)) impl_->registry().on_change(*change);
  }
}

}  // namespace holdfast::node
