#include <catch2/catch.hpp>

#include "node/watch_hub.h"
#include "state/command.h"
#include "tests/node/fake_world.h"
#include "tests/state/rows_of_image.h"

/// What watchers see when the machine behind them becomes a later one, from another member's image.
namespace holdfast::node {
namespace {

struct Sink final : WatchSink {
  void ready() override { ++told; }
  int told = 0;
};

struct Fixture {
  FakeLoop loop;
  FakeImages images;       // this member's, after the installation
  state::Machine machine;  // this member's
  state::Machine leader;   // it applies everything
  WatchHub hub{machine, images, loop};
  Sink sink;

  static state::Applied apply_to(state::Machine& to, const state::Operation& operation) {
    return to.apply(to.applied().next(), *state::encode({{}, ClusterTime(0), operation}));
  }
  state::Applied both(const state::Operation& operation) {
    hub.on_events(apply_to(machine, operation).events);
    return apply_to(leader, operation);
  }
  state::Applied only_leader(const state::Operation& operation) { return apply_to(leader, operation); }
  static state::Operation put(const std::string& key) { return config::Put{key, Blob("v"), {}, {}}; }

  /// The leader's image, installed here.
  void install() {
    state::Machine fresh;
    for (const RowChange& change : state::rows_of_image(leader)) {
      REQUIRE((change.removed || fresh.load(change.table, change.cells)));
    }
    for (auto packs = leader.take_history(1); !packs.empty(); packs = leader.take_history(1)) {
      for (auto& pack : packs) {
        images.write({}, {{pack.first, pack.last, [&pack] { return state::encode_history(pack.changes); }}});
      }
    }
    images.sync();
    leader.image_durable(0);
    REQUIRE(fresh.finish_loading());
    Revision before = machine.revision();
    hub.replacing(fresh);
    machine.swap(fresh);
    hub.replaced(before);
  }
  std::vector<std::string> take_all(WatchId watch) {
    std::vector<std::string> keys;
    for (int told = -1; told != sink.told;) {
      told = sink.told;
      ConfigBatch batch = hub.take_config(watch, 1 << 20);
      REQUIRE_FALSE(batch.ended);
      for (const auto& change : batch.changes) keys.push_back(std::string(change.key()));
      while (!images.reads.empty()) images.answer_reads();
      loop.run();
    }
    return keys;
  }
};

using Keys = std::vector<std::string>;

TEST_CASE_METHOD(Fixture, "a watcher that followed gets what came with the image from its history, once") {
  WatchId watch = hub.open_config(config::KeyRange::prefix("/"), Revision(1), sink);
  both(put("/1"));
  CHECK(take_all(watch) == Keys{"/1"});
  only_leader(put("/2"));
  only_leader(put("/3"));
  install();
  while (!images.reads.empty()) images.answer_reads();
  loop.run();
  CHECK(take_all(watch) == Keys{"/2", "/3"});
  both(put("/4"));
  loop.run();
  CHECK(take_all(watch) == Keys{"/4"});
}

TEST_CASE_METHOD(Fixture, "what was queued for a watcher before the image came is not lost or repeated") {
  WatchId watch = hub.open_config(config::KeyRange::prefix("/"), Revision(1), sink);
  both(put("/1"));
  both(put("/2"));
  only_leader(put("/3"));
  install();
  both(put("/4"));
  loop.run();
  CHECK(take_all(watch) == Keys{"/1", "/2", "/3", "/4"});
}

TEST_CASE_METHOD(Fixture, "history that was being read when the image came is asked for again") {
  both(put("/1"));
  // Nothing of it is in memory any more, and the answer of the old image is on its way.
  machine.freeze();
  while (!machine.take_rows(100).empty()) continue;
  while (!machine.take_history(1).empty()) continue;
  machine.image_durable(0);
  for (int i = 0; i < 50; ++i) both(put("/x"));
  WatchId watch = hub.open_config(config::KeyRange::one("/1"), Revision(1), sink);
  REQUIRE(images.reads.size() == 1);
  auto old_answer = std::move(images.reads.front().second);
  images.reads.clear();
  install();
  old_answer({});
  loop.run();
  CHECK(take_all(watch) == Keys{"/1"});
}

TEST_CASE_METHOD(Fixture, "a watcher of the future stays there") {
  WatchId watch = hub.open_config(config::KeyRange::prefix("/"), Revision(4), sink);
  both(put("/1"));
  only_leader(put("/2"));
  install();
  both(put("/3"));
  loop.run();
  CHECK(sink.told == 0);
  both(put("/4"));
  loop.run();
  CHECK(take_all(watch) == Keys{"/4"});
}

TEST_CASE_METHOD(Fixture,
                 "a registry watcher is told of every instance that differs, and of those that went") {
  LeaseId lease = std::get<state::LeaseGranted>(*both(state::GrantLease{milliseconds(1000)}).reply).lease;
  auto instance = [&](const char* id, std::uint16_t port) {
    registry::Instance made;
    made.id = id;
    made.address = "10.0.0.1";
    made.port = port;
    made.lease = lease;
    return state::RegisterInstance{"web", made};
  };
  both(instance("stays", 1));
  both(instance("moves", 1));
  both(instance("goes", 1));
  WatchId watch = hub.open_registry("web", sink);
  CHECK(hub.take_registry(watch, 99).changes.size() == 3);
  only_leader(instance("moves", 2));
  only_leader(state::DeregisterInstance{"web", "goes", {}});
  only_leader(instance("comes", 1));
  install();
  loop.run();
  RegistryBatch batch = hub.take_registry(watch, 99);
  REQUIRE(batch.changes.size() == 3);
  CHECK(batch.changes[0].instance.id == "comes");
  CHECK(batch.changes[1].instance.id == "goes");
  CHECK(batch.changes[1].removed);
  CHECK(batch.changes[2].instance.port == 2);
  CHECK(batch.revision == leader.revision());
}

}  // namespace
}  // namespace holdfast::node
