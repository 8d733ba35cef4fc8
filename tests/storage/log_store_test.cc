#include "storage/log_store.h"

#include <catch2/catch.hpp>

#include "tests/storage/fake_loop.h"
#include "tests/storage/log_entries.h"
#include "tests/temporary_directory.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

std::unique_ptr<SqliteLogStore> open_log(const TemporaryDirectory& directory, FakeLoop& loop,
                                         std::size_t commit_bytes = 8 << 20) {
  LogStoreOptions options;
  options.location.path = directory.file("log.db");
  options.post = loop.poster();
  options.fatal = loop.fatal_handler();
  options.commit_bytes = commit_bytes;
  auto store = SqliteLogStore::open(std::move(options));
  if (!store) FAIL(store.error().message);
  return *std::move(store);
}

}  // namespace

TEST_CASE("what was acknowledged is there after a restart") {
  TemporaryDirectory directory;
  FakeLoop loop;
  {
    auto store = open_log(directory, loop);
    CHECK(store->take_contents().entries.empty());
    store->start();
    bool durable = false;
    store->write(hard_state(3, ~0ull), entries(1, 5, 3), [&] { durable = true; });
    loop.run_until([&] { return durable; });
    REQUIRE(durable);
  }
  auto store = open_log(directory, loop);
  const LogContents contents = store->take_contents();
  CHECK(contents.hard_state == hard_state(3, ~0ull));
  CHECK(contents.entries == entries(1, 5, 3));
  CHECK(contents.base_index == Index(0));
  CHECK(loop.fatal().empty());
}

TEST_CASE("writes that wait for the disk share one transaction") {
  TemporaryDirectory directory;
  FakeLoop loop;
  auto store = open_log(directory, loop);
  std::vector<int> order;
  for (int i = 1; i <= 100; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    store->write(std::nullopt, entries(index, index, 1), [&order, i] { order.push_back(i); });
  }
  store->start();
  loop.run_until([&] { return order.size() == 100; });
  CHECK(store->commits() == 1);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("a group commit is bounded in bytes") {
  TemporaryDirectory directory;
  FakeLoop loop;
  const std::size_t entry_bytes = entries(1, 1, 1).front().payload.size();
  auto store = open_log(directory, loop, 2 * entry_bytes);
  int durable = 0;
  for (std::uint64_t i = 1; i <= 9; ++i) store->write(std::nullopt, entries(i, i, 1), [&] { ++durable; });
  store->start();
  loop.run_until([&] { return durable == 9; });
  CHECK(store->commits() == 5);
}

TEST_CASE("stopping makes durable what is still queued") {
  TemporaryDirectory directory;
  FakeLoop loop;
  int durable = 0;
  {
    auto store = open_log(directory, loop);
    store->start();
    for (std::uint64_t i = 1; i <= 50; ++i) {
      store->write(hard_state(1, i), entries(i, i, 1), [&] { ++durable; });
    }
    store->stop();
    loop.run_ready();
  }
  CHECK(durable == 50);
  CHECK(open_log(directory, loop)->take_contents().entries == entries(1, 50, 1));
}

TEST_CASE("a compacted log starts behind its base and is removed in slices") {
  const raft::Membership membership{
      {{MemberId(4), "n4", "d:1", "some disk"}}, {}, {{MemberId(5), "n5", "e:1"}}};
  TemporaryDirectory directory;
  FakeLoop loop;
  {
    auto store = open_log(directory, loop);
    store->start();
    store->write(hard_state(2, 1), entries(1, 5000, 2), {});
    store->compact(Index(4990), Term(2), membership);
    bool durable = false;
    store->write(std::nullopt, entries(5001, 5003, 2), [&] { durable = true; });
    loop.run_until([&] { return durable; });
    store->stop();
  }
  auto store = open_log(directory, loop);
  const LogContents contents = store->take_contents();
  CHECK(contents.base_index == Index(4990));
  CHECK(contents.base_term == Term(2));
  CHECK(contents.base_membership == membership);
  CHECK(contents.image_file.empty());
  CHECK(contents.entries == entries(4991, 5003, 2));
  CHECK(loop.fatal().empty());
}

TEST_CASE("writes that an installed image has overtaken are left out of the log") {
  TemporaryDirectory directory;
  FakeLoop loop;
  const auto found = [&](std::uint64_t term_at_base) {
    {
      auto store = open_log(directory, loop);
      store->start();
      store->write(hard_state(3, 1), entries(1, 5, 1), {});
      store->install({Index(10), Term(3), {}}, "image-10.db", {});
      // The core did not know of the image yet.
      store->write(std::nullopt, entries(6, 8, 3), {});
      store->write(std::nullopt, entries(6, 12, term_at_base), {});
      store->stop();
    }
    LogContents contents = open_log(directory, loop)->take_contents();
    std::filesystem::remove(directory.file("log.db"));
    CHECK(contents.base_index == Index(10));
    CHECK(contents.image_file == "image-10.db");
    return contents.entries;
  };
  CHECK(found(3) == entries(11, 12, 3));
  CHECK(found(2).empty());
  CHECK(loop.fatal().empty());
}

TEST_CASE("the write-ahead log is reused when it is full") {
  TemporaryDirectory directory;
  FakeLoop loop;
  LogStoreOptions options;
  options.location.path = directory.file("log.db");
  options.post = loop.poster();
  options.fatal = loop.fatal_handler();
  options.checkpoint_bytes = 256 << 10;
  auto store = *SqliteLogStore::open(std::move(options));
  store->start();
  std::uint64_t durable = 0;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    std::vector<raft::Entry> one = entries(i, i, 1);
    one.front().payload = Blob(std::string(20'000, 'x'));
    store->write(std::nullopt, std::move(one), [&] { ++durable; });
    loop.run_until([&] { return durable == i; });
  }
  CHECK(std::filesystem::file_size(directory.file("log.db-wal")) < 512 << 10);
  CHECK(loop.fatal().empty());
}

TEST_CASE("the identity is written once and stays") {
  TemporaryDirectory directory;
  FakeLoop loop;
  Identity identity;
  identity.cluster = ClusterId(~0ull - 5);
  identity.member = MemberId(7);
  identity.name = "n1";
  identity.membership.voters = {{MemberId(7), "n1", "127.0.0.1:2380"}, {MemberId(3), "n2", "127.0.0.1:2480"}};
  identity.membership.outgoing_voters = {{MemberId(7), "n1", "127.0.0.1:2380"}};
  identity.membership.learners = {{MemberId(9), "n3", "[::1]:2380"}};
  identity.founders = {{{}, "n2", "127.0.0.1:2480"}, {{}, "n8", "[::1]:2381"}};
  std::string data_id;
  {
    auto store = open_log(directory, loop);
    CHECK_FALSE(store->identity());
    REQUIRE(store->set_identity(identity));
    data_id = store->identity()->data_id;
    CHECK(data_id.size() == 32);
  }
  identity.data_id = data_id;
  CHECK(open_log(directory, loop)->identity() == identity);
  TemporaryDirectory other;
  auto second = open_log(other, loop);
  REQUIRE(second->set_identity(identity));
  CHECK(second->identity()->data_id != data_id);
}
