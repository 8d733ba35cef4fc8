#include "node/watch_hub.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "node/registry_watchers.h"
#include "state/command.h"
#include "tests/node/fake_world.h"

namespace holdfast::node {
namespace {

struct Sink final : WatchSink {
  void ready() override { ++told; }
  int told = 0;
};

using Keys = std::vector<std::string>;

struct Fixture {
  FakeLoop loop;
  FakeImages images;
  state::Machine machine;
  WatchHub hub{machine, images, loop};
  Sink sink;

  state::Applied apply(state::Operation operation) {
    Result<Blob> command = state::encode({{}, ClusterTime(0), std::move(operation)});
    state::Applied applied = machine.apply(machine.applied().next(), *command);
    hub.on_events(applied.events);
    return applied;
  }
  void put(const std::string& key, std::size_t bytes = 3) {
    apply(config::Put{key, Blob(std::string(bytes, 'v')), {}, {}});
  }
  LeaseId lease() {
    return std::get<state::LeaseGranted>(*apply(state::GrantLease{milliseconds(1000)}).reply).lease;
  }
  void write_image(std::size_t keep_bytes) {
    machine.freeze();
    while (!machine.take_rows(100).empty()) continue;
    for (auto packs = machine.take_history(1); !packs.empty(); packs = machine.take_history(1)) {
      for (auto& pack : packs)
        images.write({}, {{pack.first, pack.last, [&pack] { return state::encode_history(pack.changes); }}});
    }
    images.sync();
    machine.image_durable(keep_bytes);
  }
  /// "key@revision" of everything that can be taken, told or not.
  Keys take_all(WatchId watch, std::size_t most_bytes = 1 << 20) {
    Keys keys;
    for (int told = -1; told != sink.told;) {
      told = sink.told;
      ConfigBatch batch = hub.take_config(watch, most_bytes);
      REQUIRE_FALSE(batch.ended);
      for (const auto& change : batch.changes) {
        keys.push_back(std::string(change.key()) + "@" + std::to_string(change.revision().value()));
        CHECK(change.revision() < batch.next);
      }
      while (!images.reads.empty()) images.answer_reads();
      loop.run();
    }
    return keys;
  }
};

/// Takes when it is told, and closes another watch if it is to.
struct TakingSink final : WatchSink {
  explicit TakingSink(WatchHub& hub_in) : hub(hub_in) {}
  void ready() override {
    ++told;
    taken += hub.take_config(watch, 1 << 20).changes.size();
    if (closes) hub.close(std::exchange(closes, 0));
  }
  WatchHub& hub;
  WatchId watch = 0;
  WatchId closes = 0;
  int told = 0;
  std::size_t taken = 0;
};

TEST_CASE_METHOD(Fixture,
                 "many watchers of a key are told over several turns, and may take and close at once") {
  constexpr std::size_t kWatchers = 1'000;
  std::vector<std::unique_ptr<TakingSink>> sinks;
  for (std::size_t i = 0; i < kWatchers; ++i) {
    sinks.push_back(std::make_unique<TakingSink>(hub));
    sinks.back()->watch = hub.open_config(config::KeyRange::one("/a"), Revision(1), *sinks.back());
  }
  loop.run();
  for (auto& each : sinks) each->told = 0;
  // The first closes the one behind it, which is told in the same turn, and the last but one, in a later
  // turn.
  sinks[0]->closes = sinks[1]->watch;
  sinks[2]->closes = sinks[kWatchers - 2]->watch;
  put("/a");
  put("/a");
  loop.run();
  for (std::size_t i = 0; i < kWatchers; ++i) {
    const bool closed = i == 1 || i == kWatchers - 2;
    CHECK(sinks[i]->told == (closed ? 0 : 1));
    CHECK(sinks[i]->taken == (closed ? 0 : 2));
  }
}

TEST_CASE_METHOD(Fixture, "watches of one place are told next to each other, whenever they were opened") {
  struct Noting final : WatchSink {
    void ready() override { order->push_back(place); }
    std::vector<WatchPlace>* order = nullptr;
    WatchPlace place = 0;
  };
  constexpr std::size_t kPlaces = 3;
  constexpr std::size_t kOfEach = 4;
  std::vector<WatchPlace> order;
  std::vector<WatchPlace> places;
  for (std::size_t i = 0; i < kPlaces; ++i) places.push_back(hub.new_place());
  std::vector<Noting> sinks(kPlaces * kOfEach);
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    sinks[i].order = &order;
    sinks[i].place = places[i % kPlaces];
    hub.open_config(config::KeyRange::one("/a"), Revision(1), sinks[i], sinks[i].place);
  }
  loop.run();
  order.clear();
  put("/a");
  loop.run();
  REQUIRE(order.size() == sinks.size());
  for (std::size_t i = 0; i < order.size(); ++i) CHECK(order[i] == places[i / kOfEach]);
}

TEST_CASE_METHOD(Fixture, "a watcher is told on a later turn, once until it takes") {
  WatchId watch = hub.open_config(config::KeyRange::prefix("/a"), Revision(1), sink);
  put("/a/1");
  put("/b/1");
  put("/a/2");
  CHECK(sink.told == 0);
  loop.run();
  CHECK(sink.told == 1);
  ConfigBatch batch = hub.take_config(watch, 1 << 20);
  REQUIRE(batch.changes.size() == 2);
  CHECK(batch.changes[0].key() == "/a/1");
  CHECK(batch.next == machine.revision().next());
  put("/a/3");
  loop.run();
  CHECK(sink.told == 2);
}

TEST_CASE_METHOD(Fixture, "exact keys, prefixes and other ranges each get what is theirs") {
  Sink one, prefix, range, all;
  WatchId watch_one = hub.open_config(config::KeyRange::one("/a"), Revision(1), one);
  WatchId watch_prefix = hub.open_config(config::KeyRange::prefix("/a"), Revision(1), prefix);
  WatchId watch_range = hub.open_config({"/a/1", "/b"}, Revision(1), range);
  WatchId watch_all = hub.open_config(config::KeyRange::prefix(""), Revision(1), all);
  for (const char* key : {"/a", "/a/1", "/b", "/"}) put(key);
  CHECK(hub.take_config(watch_one, 9999).changes.size() == 1);
  CHECK(hub.take_config(watch_prefix, 9999).changes.size() == 2);
  CHECK(hub.take_config(watch_range, 9999).changes.size() == 1);
  CHECK(hub.take_config(watch_all, 9999).changes.size() == 4);
}

TEST_CASE_METHOD(Fixture, "a watch resumes from what is in memory") {
  for (int i = 0; i < 5; ++i) put("/a" + std::to_string(i));
  WatchId watch = hub.open_config(config::KeyRange::prefix("/"), Revision(3), sink);
  loop.run();
  CHECK(take_all(watch) == Keys{"/a2@3", "/a3@4", "/a4@5"});
  CHECK(images.reads.empty());
}

TEST_CASE_METHOD(Fixture, "a watch resumes from the image, and goes on in memory without gap or duplicate") {
  put("/a1");
  put("/a2");
  write_image(1 << 20);
  put("/a3");
  write_image(0);
  put("/a4");
  // Memory may let go of what is in the image in small steps; in the end it does.
  for (int i = 0; i < 50 && machine.history().first_in_memory() <= Revision(3); ++i) put("/x");
  REQUIRE(machine.history().first_in_memory() > Revision(3));
  WatchId watch = hub.open_config(config::KeyRange::prefix("/a"), Revision(2), sink);
  CHECK(images.reads.size() == 1);
  images.answer_reads();
  loop.run();
  CHECK(sink.told == 1);
  put("/a5");
  Keys keys = take_all(watch);
  REQUIRE(keys.size() == 4);
  CHECK(Keys(keys.begin(), keys.end() - 1) == Keys{"/a2@2", "/a3@3", "/a4@4"});
  CHECK(keys.back().substr(0, 3) == "/a5");
}

TEST_CASE_METHOD(Fixture, "a watcher that was behind follows once it has caught up") {
  put("/a1");
  WatchId watch = hub.open_config(config::KeyRange::prefix("/"), Revision(1), sink);
  loop.run();
  CHECK(take_all(watch) == Keys{"/a1@1"});
  put("/a2");
  loop.run();
  CHECK(take_all(watch) == Keys{"/a2@2"});
}

TEST_CASE_METHOD(Fixture, "a future revision waits, and what comes before it is not told") {
  WatchId watch = hub.open_config(config::KeyRange::prefix("/"), Revision(3), sink);
  CHECK(hub.take_config(watch, 9999).next == Revision(3));
  for (int i = 1; i <= 4; ++i) put("/a" + std::to_string(i));
  loop.run();
  CHECK(take_all(watch) == Keys{"/a3@3", "/a4@4"});
}

TEST_CASE_METHOD(Fixture, "a slow watcher's queue is dropped over its bound, and nothing is lost") {
  WatchId watch = hub.open_config(config::KeyRange::prefix("/a"), Revision(1), sink);
  Keys expected;
  for (int i = 1; i <= 30; ++i) {
    put("/a" + std::to_string(i), limits::kMaxWatchQueueBytes / 10);
    expected.push_back("/a" + std::to_string(i) + "@" + std::to_string(i));
    if (i == 3) {
      loop.run();
      CHECK(hub.take_config(watch, 1).changes.size() == 1);
    }
  }
  loop.run();
  expected.erase(expected.begin());
  CHECK(take_all(watch, limits::kMaxWatchQueueBytes / 4) == expected);
}

TEST_CASE_METHOD(Fixture, "a revision is never split over two batches") {
  for (int i = 0; i < 5; ++i) put("/a" + std::to_string(i), 1000);
  WatchId watch = hub.open_config(config::KeyRange::prefix("/a"), Revision(6), sink);
  apply(config::Delete{config::KeyRange::prefix("/a"), {}});
  put("/a9");
  CHECK(hub.take_config(watch, 1).changes.size() == 5);
  CHECK(hub.take_config(watch, 1).changes.size() == 1);

  WatchId late = hub.open_config(config::KeyRange::prefix("/a"), Revision(6), sink);
  CHECK(hub.take_config(late, 1).changes.size() == 5);
}

TEST_CASE_METHOD(Fixture, "a long history of others is passed over in bounded steps") {
  for (int i = 0; i < 3000; ++i) put("/other");
  put("/a");
  WatchId watch = hub.open_config(config::KeyRange::one("/a"), Revision(1), sink);
  ConfigBatch first = hub.take_config(watch, 9999);
  CHECK(first.changes.empty());
  CHECK(first.next > Revision(1));
  CHECK(first.next < Revision(3001));
  loop.run();
  CHECK(take_all(watch) == Keys{"/a@3001"});
}

TEST_CASE_METHOD(Fixture, "a closed watch is told nothing, whatever was under way") {
  put("/a");
  write_image(0);
  for (int i = 0; i < 50; ++i) put("/x");
  WatchId watch = hub.open_config(config::KeyRange::prefix("/"), Revision(1), sink);
  hub.close(watch);
  images.answer_reads();
  put("/a");
  loop.run();
  CHECK(sink.told == 0);
}

TEST_CASE_METHOD(Fixture, "ten thousand watchers of one key and a thousand prefixes all hear of it once") {
  std::vector<WatchId> watches;
  for (int i = 0; i < 10000; ++i) {
    watches.push_back(hub.open_config(config::KeyRange::one("/hot"), Revision(1), sink));
  }
  for (int i = 0; i < 1000; ++i) {
    hub.open_config(config::KeyRange::prefix("/p" + std::to_string(i)), Revision(1), sink);
  }
  put("/hot");
  loop.run();
  CHECK(sink.told == 10000);
  CHECK(hub.take_config(watches.back(), 9999).changes.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a registry watcher gets every instance, then the newest state of what changed") {
  registry::Instance instance;
  instance.lease = lease();
  auto place = [&](const char* service, const char* id, std::uint16_t port) {
    instance.id = id;
    instance.address = "10.0.0.1";
    instance.port = port;
    apply(state::RegisterInstance{service, instance});
  };
  place("web", "w1", 1);
  place("web", "w2", 1);
  place("db", "d1", 1);
  WatchId web = hub.open_registry("web", sink);
  Sink all_sink, empty_sink;
  WatchId all = hub.open_registry("", all_sink);
  WatchId none = hub.open_registry("queue", empty_sink);

  RegistryBatch first = hub.take_registry(web, 1);
  CHECK(first.changes.size() == 1);
  CHECK_FALSE(first.complete);
  RegistryBatch second = hub.take_registry(web, 1);
  CHECK(second.complete);
  CHECK(hub.take_registry(all, 99).changes.size() == 3);
  loop.run();
  CHECK(empty_sink.told == 1);
  CHECK(hub.take_registry(none, 99).complete);

  place("web", "w1", 2);
  place("web", "w1", 3);
  apply(state::DeregisterInstance{"web", "w2", {}});
  RegistryBatch news = hub.take_registry(web, 99);
  REQUIRE(news.changes.size() == 2);
  CHECK(news.changes[0].instance.port == 3);
  CHECK(news.changes[1].removed);
  CHECK(news.changes[1].instance.id == "w2");
  CHECK(news.changes[1].instance.mod_revision == machine.revision());
  CHECK(news.revision == machine.revision());
}

TEST_CASE_METHOD(Fixture, "a registry watcher that takes nothing remembers no instance that came and went") {
  registry::Instance instance;
  instance.lease = lease();
  instance.address = "10.0.0.1";
  instance.id = "told";
  apply(state::RegisterInstance{"web", instance});
  RegistryWatchers watchers(machine, [](WatchId) {});
  auto hear = [&](const std::vector<state::Event>& events) {
    for (const state::Event& event : events) watchers.on_change(std::get<registry::Change>(event));
  };
  watchers.open(1, "web");
  watchers.open(2, "");
  CHECK(watchers.waiting(2) == 1);
  CHECK(watchers.take(1, 99).changes.size() == 1);

  for (int i = 0; i < 100; ++i) {
    instance.id = std::to_string(i);
    hear(apply(state::RegisterInstance{"web", instance}).events);
    hear(apply(state::RegisterInstance{"web", instance}).events);
    hear(apply(state::DeregisterInstance{"web", instance.id, {}}).events);
  }
  CHECK(watchers.waiting(1) == 0);
  CHECK(watchers.waiting(2) == 1);  // the one that it has not been told of yet

  // Gone, back, and gone again: it was told of it, so it must hear that it is gone.
  instance.id = "told";
  hear(apply(state::DeregisterInstance{"web", "told", {}}).events);
  hear(apply(state::RegisterInstance{"web", instance}).events);
  hear(apply(state::DeregisterInstance{"web", "told", {}}).events);
  CHECK(watchers.waiting(2) == 0);  // nobody ever told this one of it
  RegistryBatch news = watchers.take(1, 99);
  REQUIRE(news.changes.size() == 1);
  CHECK(news.changes[0].removed);
  CHECK(news.changes[0].instance.id == "told");
  CHECK(news.changes[0].instance.mod_revision == machine.revision());
}

}  // namespace
}  // namespace holdfast::node
