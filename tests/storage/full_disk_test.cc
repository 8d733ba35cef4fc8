#include <catch2/catch.hpp>
#include <deque>

#include "storage/file_names.h"
#include "storage/image_store.h"
#include "storage/log_store.h"
#include "storage/space_watch.h"
#include "tests/storage/fake_loop.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/faulty_files.h"
#include "tests/storage/history_pack.h"
#include "tests/storage/log_entries.h"
#include "tests/storage/reopenings.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

/// A disk with its watch, and what the node was told of it.
struct Watched {
  explicit Watched(std::uint64_t seed) : disk(seed), vfs(disk), files(disk) {}

  void watch(std::uint64_t threshold_bytes, std::uint64_t ballast_bytes) {
    SpaceOptions options;
    options.files = &files;
    options.threshold_bytes = threshold_bytes;
    options.ballast_bytes = ballast_bytes;
    options.post = loop.poster();
    space = *SpaceWatch::open(std::move(options));
    space->tell([this](const node::Space& changed) { told.push_back(changed); });
  }
  LogStoreOptions log_options() {
    LogStoreOptions options;
    options.location = {"log.db", vfs.name(), &files};
    options.post = loop.poster();
    options.fatal = loop.fatal_handler();
    options.space = space.get();
    return options;
  }
  ImageStoreOptions image_options() {
    ImageStoreOptions options;
    options.location = {"state.db", vfs.name(), &files};
    options.tables = {{"keys", {{"key", ColumnType::kText}, {"value", ColumnType::kBytes}}, 1}};
    options.data_id = "here";
    options.post = loop.poster();
    options.fatal = loop.fatal_handler();
    options.space = space.get();
    return options;
  }

  FaultyDisk disk;
  FaultVfs vfs;
  FaultyFiles files;
  FakeLoop loop;
  std::vector<node::Space> told;
  std::unique_ptr<SpaceWatch> space;
};

std::vector<raft::Entry> large(std::uint64_t index, std::size_t bytes) {
  std::vector<raft::Entry> one = entries(index, index, 1);
  one.front().payload = Blob(std::string(bytes, 'x'));
  return one;
}

}  // namespace

TEST_CASE("space is low below the threshold and enough again a quarter above it") {
  Watched here(1);
  here.disk.set_capacity(1'000'000);
  here.watch(100'000, 0);
  const auto look_with_free = [&](std::uint64_t bytes) {
    here.disk.set_capacity(bytes);
    here.space->look();
    here.loop.run_ready();
  };
  look_with_free(100'000);
  CHECK(here.told.empty());
  look_with_free(99'999);
  look_with_free(50'000);
  REQUIRE(here.told.size() == 1);
  CHECK(here.told.back() == node::Space{true, 99'999, 100'000});
  look_with_free(124'999);
  CHECK(here.told.size() == 1);
  look_with_free(125'000);
  REQUIRE(here.told.size() == 2);
  CHECK(here.told.back() == node::Space{false, 125'000, 100'000});
}

TEST_CASE("ballast is laid in where there is room, given up once, and taken over by the next process") {
  Watched here(1);
  here.disk.set_capacity(10'000'000);
  here.watch(100'000, 64'000);
  CHECK_FALSE(here.space->disk_is_full());
  here.space->look();
  CHECK(here.disk.contents(kBallastFile).size() == 64'000);
  here.watch(100'000, 64'000);
  CHECK(here.space->disk_is_full());
  CHECK_FALSE(here.disk.exists(kBallastFile));
  CHECK_FALSE(here.space->disk_is_full());
  here.space->report_full();
  here.disk.set_capacity(125'000);  // enough, but not for ballast as well
  here.space->look();
  CHECK_FALSE(here.disk.exists(kBallastFile));
}

TEST_CASE("a log that met a full disk goes on where it was and loses and acknowledges nothing") {
  std::uint64_t operations = 0;
  const auto live = [&](std::uint64_t k) {
    Watched here(k + 1);
    here.watch(1000, 1000);
    std::uint64_t durable = 0;
    {
      auto log = *SqliteLogStore::open(here.log_options());
      here.disk.fail_at(k, Fault::kFull);
      log->start();
      const auto write = [&](std::optional<raft::HardState> state, std::vector<raft::Entry> list) {
        bool done = false;
        const std::uint64_t last = list.back().index.value();
        log->write(state, std::move(list), [&] { done = true; });
        here.loop.run_until([&] { return done; });
        REQUIRE(here.loop.fatal().empty());
        durable = last;
      };
      write(hard_state(1, 1), entries(1, 6, 1));
      write(hard_state(2, 1), entries(4, 9, 2));  // replaces a tail
      log->compact(Index(3), Term(1), {{{MemberId(1), "n1", "a:1"}}, {}, {}});
      write(std::nullopt, large(10, 20'000));
      log->stop();
    }
    operations = here.disk.operations();
    INFO("full at operation " << k);
    CHECK(here.loop.fatal().empty());
    here.disk.fail_at(0, Fault::kNone);
    count_reopening();
    auto log = SqliteLogStore::open(here.log_options());
    REQUIRE(log);
    const LogContents contents = (*log)->take_contents();
    CHECK(contents.hard_state == hard_state(2, 1));
    CHECK(contents.base_index == Index(3));
    CHECK(contents.base_membership->voters.size() == 1);
    REQUIRE(contents.entries.size() == 7);
    CHECK(contents.entries.front() == entries(4, 4, 2).front());
    CHECK(contents.entries.back() == large(10, 20'000).front());
  };
  live(1'000'000);
  const std::uint64_t all = operations;
  REQUIRE(all > 12);
  for (std::uint64_t k = 1; k <= all; ++k) live(k);
}

TEST_CASE("a log without any space acknowledges nothing until there is some") {
  Watched here(4);
  here.disk.set_capacity(8'000'000);
  here.watch(200'000, 100'000);
  here.space->look();  // lays the ballast in
  auto log = *SqliteLogStore::open(here.log_options());
  log->start();
  std::uint64_t durable = 0;
  std::uint64_t issued = 0;
  const auto write = [&] {
    ++issued;
    log->write(std::nullopt, large(issued, 30'000), [&durable, index = issued] { durable = index; });
  };
  write();
  here.loop.run_until([&] { return durable == issued; });
  here.disk.take_what_is_free();
  // What is still to be written finds room where the ballast was; the node is told to write no more.
  while (here.told.empty()) {
    write();
    here.loop.run_until([&] { return durable == issued; });
  }
  CHECK(here.told.front().low);
  CHECK_FALSE(here.disk.exists(kBallastFile));
  const std::uint64_t with_ballast = issued;
  for (int i = 0; i < 8; ++i) write();
  log->stop();
  here.loop.run_ready();
  CHECK(durable == with_ballast);
  CHECK(here.loop.fatal().empty());
  log.reset();
  here.disk.set_capacity(0);
  auto again = SqliteLogStore::open(here.log_options());
  REQUIRE(again);
  CHECK((*again)->take_contents().entries.size() >= durable);
}

TEST_CASE("a log that waits for space goes on by itself once there is some") {
  Watched here(4);
  here.disk.set_capacity(8'000'000);
  here.watch(100'000, 0);
  auto log = *SqliteLogStore::open(here.log_options());
  log->start();
  here.disk.take_what_is_free();
  std::uint64_t durable = 0;
  log->write(hard_state(1, 1), large(1, 30'000), [&] { durable = 1; });
  log->write(std::nullopt, large(2, 30'000), [&] { durable = 2; });
  here.loop.run_until([&] { return !here.told.empty(); });
  CHECK(here.told.front().low);
  CHECK(durable == 0);
  here.disk.set_capacity(16'000'000);
  here.loop.run_until([&] { return durable == 2 && here.told.size() == 2; });
  CHECK_FALSE(here.told.back().low);
  CHECK(here.loop.fatal().empty());
}

TEST_CASE("an image that met a full disk is written again, and history is read meanwhile") {
  Watched here(4);
  here.disk.set_capacity(400'000);
  here.watch(1000, 0);
  auto opened = SqliteImageStore::open(here.image_options());
  if (!opened) FAIL(opened.error().message);
  auto images = *std::move(opened);
  images->start();
  bool first = false;
  images->write({{0, false, {std::string("a"), Blob("1")}}}, {history_pack(1, 1, "one")});
  images->commit(Index(1), [&] { first = true; });
  here.loop.run_until([&] { return first; });
  here.disk.take_what_is_free();
  bool second = false;
  for (int i = 0; i < 20; ++i) {
    images->write({{0, false, {"b" + std::to_string(i), Blob(std::string(4000, 'x'))}}}, {});
  }
  images->write({}, {history_pack(2, 2, "two")});
  images->commit(Index(2), [&] { second = true; });
  std::vector<node::HistoryRow> history;
  bool read = false;
  images->read_history(Revision(1), 1000, [&](std::vector<node::HistoryRow> rows) {
    history = std::move(rows);
    read = true;
  });
  here.loop.run_until([&] { return read; });
  CHECK(history.size() == 1);
  CHECK_FALSE(second);
  here.disk.set_capacity(0);
  here.loop.run_until([&] { return second; });
  CHECK(second);
  CHECK(here.loop.fatal().empty());
  images->stop();
  images.reset();
  auto reopened = SqliteImageStore::open(here.image_options());
  if (!reopened) FAIL(reopened.error().message);
  std::size_t rows = 0;
  const auto state = (*reopened)->load([&](std::size_t, const Row&) -> Result<void> {
    ++rows;
    return {};
  });
  REQUIRE(state);
  CHECK(rows == 21);
  CHECK(state->applied == Index(2));
  CHECK(state->last_history == Revision(2));
}

namespace {

/// Its turns are the test's.
struct ByHand final : Runner {
  explicit ByHand(ByHand*& self) { self = this; }
  void start(Turn next) override { turn = std::move(next); }
  void wake() override {}
  void stop() override {
    while (turn()) {
    }
  }
  Turn turn;
};

}  // namespace

TEST_CASE("a log that nothing was written to for some seconds gives back the space that it does not need") {
  Watched here(6);
  here.watch(1000, 1000);
  ByHand* hand = nullptr;
  LogStoreOptions options = here.log_options();
  options.runner = [&] { return std::make_unique<ByHand>(hand); };
  options.shrink_from_bytes = 100'000;
  auto log = *SqliteLogStore::open(std::move(options));
  log->start();
  const auto size = [&] {
    return here.disk.contents("log.db").size() + here.disk.contents("log.db-wal").size();
  };
  for (std::uint64_t i = 1; i <= 20; ++i) {
    log->write(std::nullopt, large(i, 50'000), {});
    hand->turn();
  }
  REQUIRE(size() > 1'000'000);
  const auto look_some_times = [&] {
    for (int i = 0; i < 10; ++i) CHECK(hand->turn() == Tidied::kAskLater);
  };
  look_some_times();
  CHECK(size() > 1'000'000);  // all of it is needed

  log->compact(Index(19), Term(1), {{{MemberId(1), "n1", "a:1"}}, {}, {}});
  while (hand->turn() == Tidied::kMoreNow) {
  }
  CHECK(size() > 1'000'000);  // it may soon be written to again
  look_some_times();
  CHECK(size() < 200'000);
  log->write(std::nullopt, large(21, 10'000), {});
  log->stop();
  log.reset();
  CHECK((*SqliteLogStore::open(here.log_options()))->take_contents().entries.size() == 2);
}
