#include "storage/runner.h"

#include <catch2/catch.hpp>
#include <utility>

#include "storage/log_store.h"
#include "tests/storage/fake_loop.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/log_entries.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

/// Its turns are run by the test.
struct Hand final : Runner {
  explicit Hand(Hand*& self) { self = this; }
  void start(Turn next) override { turn = std::move(next); }
  void wake() override { woken = true; }
  void stop() override {
    while (turn && turn()) {
    }
    turn = nullptr;
  }
  Turn turn;
  bool woken = false;
};

struct Desk {
  FaultyDisk disk{1};
  FaultVfs vfs{disk};
  FakeLoop loop;
  Hand* hand = nullptr;
  std::unique_ptr<SqliteLogStore> log;

  Desk() {
    LogStoreOptions options;
    options.location = {"log.db", vfs.name()};
    options.post = loop.poster();
    options.fatal = loop.fatal_handler();
    options.runner = [this] { return std::make_unique<Hand>(hand); };
    log = *SqliteLogStore::open(std::move(options));
    log->start();
  }
};

TEST_CASE("a store does nothing until its runner takes a turn, and then all that waits in one commit") {
  Desk desk;
  int durable = 0;
  desk.log->write({}, entries(1, 1, 1), [&] { ++durable; });
  desk.log->write({}, entries(2, 3, 1), [&] { ++durable; });
  desk.loop.run_ready();
  CHECK(desk.hand->woken);
  CHECK(durable == 0);
  CHECK(desk.log->commits() == 0);
  CHECK(desk.hand->turn() == Tidied::kAll);
  desk.loop.run_ready();
  CHECK(durable == 2);
  CHECK(desk.log->commits() == 1);
}

TEST_CASE("what waits when a store is stopped is done in its last turns") {
  Desk desk;
  bool durable = false;
  desk.log->write({}, entries(1, 1, 1), [&] { durable = true; });
  desk.log->stop();
  desk.loop.run_ready();
  CHECK(durable);
}

TEST_CASE("there is no further turn after a failed write, and nothing is completed") {
  Desk desk;
  bool durable = false;
  desk.disk.fail_at(1, Fault::kIoError);
  desk.log->write({}, entries(1, 1, 1), [&] { durable = true; });
  CHECK(desk.hand->turn() == std::nullopt);
  desk.hand->turn = nullptr;
  desk.loop.run_ready();
  CHECK(!durable);
  CHECK(desk.loop.fatal().size() == 1);
}

}  // namespace
