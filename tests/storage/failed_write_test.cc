#include <catch2/catch.hpp>

#include "storage/image_store.h"
#include "storage/log_store.h"
#include "tests/storage/fake_loop.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/log_entries.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

LogStoreOptions log_options(const FaultVfs& vfs, FakeLoop& loop) {
  LogStoreOptions options;
  options.location = {"log.db", vfs.name()};
  options.post = loop.poster();
  options.fatal = loop.fatal_handler();
  return options;
}

ImageStoreOptions image_options(const FaultVfs& vfs, FakeLoop& loop) {
  ImageStoreOptions options;
  options.location = {"state.db", vfs.name()};
  options.tables = {{"keys", {{"key", ColumnType::kText}}, 1}};
  options.data_id = "here";
  options.post = loop.poster();
  options.fatal = loop.fatal_handler();
  return options;
}

}  // namespace

TEST_CASE("a failed write of the log ends everything and acknowledges nothing more") {
  const Fault fault = GENERATE(Fault::kIoError, Fault::kFull);
  FaultyDisk disk(5);
  const FaultVfs vfs(disk);
  FakeLoop loop;
  std::uint64_t durable = 0;
  {
    auto store = *SqliteLogStore::open(log_options(vfs, loop));
    store->start();
    disk.fail_at(10, fault);
    for (std::uint64_t i = 1; i <= 100; ++i) {
      store->write(hard_state(1, 1), entries(i, i, 1), [&] { ++durable; });
      if (i % 4 == 0) loop.run_until([&] { return durable == i; });
    }
    store->stop();
    loop.run_ready();
  }
  REQUIRE(loop.fatal().size() == 1);
  CHECK(loop.fatal().front().find("\"log.db\"") != std::string::npos);
  CHECK(durable < 100);
  CHECK(disk.operations_after_fault() == 0);
  if (fault == Fault::kFull) {
    CHECK(loop.fatal().front().find("no space is left") != std::string::npos);
    CHECK(loop.fatal().front().find("free some space") != std::string::npos);
  }
  disk.restart(Loss::kOmit);
  auto store = *SqliteLogStore::open(log_options(vfs, loop));
  const LogContents contents = store->take_contents();
  CHECK(contents.entries.size() >= durable);
  CHECK(contents.entries == entries(1, contents.entries.size(), 1));
}

TEST_CASE("a failed write of the image ends everything and acknowledges nothing more") {
  FaultyDisk disk(5);
  const FaultVfs vfs(disk);
  FakeLoop loop;
  std::uint64_t durable = 0;
  {
    auto store = *SqliteImageStore::open(image_options(vfs, loop));
    store->start();
    disk.fail_at(8, Fault::kIoError);
    for (std::uint64_t i = 1; i <= 20; ++i) {
      store->write({{0, false, {"key" + std::to_string(i)}}}, {});
      store->commit(Index(i), [&durable, i] { durable = i; });
      loop.run_until([&] { return durable == i; });
    }
    store->stop();
    loop.run_ready();
  }
  REQUIRE(loop.fatal().size() == 1);
  CHECK(loop.fatal().front().find("\"state.db\"") != std::string::npos);
  CHECK(durable < 20);
  CHECK(disk.operations_after_fault() == 0);
  disk.restart(Loss::kOmit);
  auto store = *SqliteImageStore::open(image_options(vfs, loop));
  const auto state = store->load([](std::size_t, const Row&) -> Result<void> { return {}; });
  REQUIRE(state);
  CHECK(state->applied == Index(durable));
}

TEST_CASE("what a store could not do is freed on the thread of its owner") {
  FaultyDisk disk(5);
  const FaultVfs vfs(disk);
  FakeLoop loop;
  const auto owner = std::this_thread::get_id();
  struct Owned {
    explicit Owned(std::vector<std::thread::id>& freed) : freed_on(&freed) {}
    Owned(Owned&& other) noexcept : freed_on(std::exchange(other.freed_on, nullptr)) {}
    ~Owned() {
      if (freed_on != nullptr) freed_on->push_back(std::this_thread::get_id());
    }
    std::vector<std::thread::id>* freed_on;
  };
  std::vector<std::thread::id> freed;
  auto store = *SqliteLogStore::open(log_options(vfs, loop));
  disk.fail_at(1, Fault::kIoError);
  store->write(std::nullopt, entries(1, 1, 1), [owned = Owned(freed)] {});
  store->start();
  loop.run_until([] { return false; });
  store->write(std::nullopt, entries(2, 2, 1), [owned = Owned(freed)] {});
  store->stop();
  CHECK(freed.empty());
  store.reset();
  CHECK(freed == std::vector<std::thread::id>{owner, owner});
}

TEST_CASE("a database that cannot be opened is an error with a way out") {
  FaultyDisk disk(5);
  const FaultVfs vfs(disk);
  FakeLoop loop;
  { auto store = *SqliteLogStore::open(log_options(vfs, loop)); }
  disk.replace("log.db", std::string(8192, 'x'));
  const auto store = SqliteLogStore::open(log_options(vfs, loop));
  REQUIRE_FALSE(store);
  CHECK(store.error().code == Errc::kCorrupt);
  CHECK(store.error().message.find("holdfastd --rejoin") != std::string::npos);
  ImageStoreOptions options = image_options(vfs, loop);
  { auto image = *SqliteImageStore::open(options); }
  LogStoreOptions wrong = log_options(vfs, loop);
  wrong.location.path = "state.db";
  const auto image_as_log = SqliteLogStore::open(std::move(wrong));
  REQUIRE_FALSE(image_as_log);
  CHECK(image_as_log.error().message.find("is not a Holdfast log") != std::string::npos);
}
