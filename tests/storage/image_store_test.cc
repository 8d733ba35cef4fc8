#include "storage/image_store.h"

#include <catch2/catch.hpp>
#include <optional>

#include "storage/database.h"
#include "storage/pragmas.h"
#include "tests/storage/fake_loop.h"
#include "tests/storage/history_pack.h"
#include "tests/temporary_directory.h"

using namespace holdfast;
using namespace holdfast::storage;
using node::HistoryRow;

namespace {

const std::vector<TableDescription> kTables = {
    {"keys",
     {{"key", ColumnType::kBytes}, {"value", ColumnType::kBytes}, {"revision", ColumnType::kInteger}},
     1},
    {"queue", {{"lock", ColumnType::kText}, {"place", ColumnType::kInteger}}, 2},
};

std::unique_ptr<SqliteImageStore> open_image(const std::string& path, FakeLoop& loop,
                                             std::vector<TableDescription> tables = kTables) {
  ImageStoreOptions options;
  options.location.path = path;
  options.tables = std::move(tables);
  options.data_id = "here";
  options.post = loop.poster();
  options.fatal = loop.fatal_handler();
  auto store = SqliteImageStore::open(std::move(options));
  if (!store) FAIL(store.error().message);
  return *std::move(store);
}

RowChange put(const std::string& key, const std::string& value, std::int64_t revision) {
  return {0, false, {Blob(key), Blob(value), revision}};
}
RowChange removal(const std::string& key) { return {0, true, {Blob(key)}}; }

void commit(SqliteImageStore& store, FakeLoop& loop, std::uint64_t applied) {
  bool durable = false;
  store.commit(Index(applied), [&] { durable = true; });
  loop.run_until([&] { return durable; });
  REQUIRE(durable);
}

std::vector<HistoryRow> read_history(SqliteImageStore& store, FakeLoop& loop, std::uint64_t from,
                                     std::size_t most_bytes = 1 << 20) {
  std::optional<std::vector<HistoryRow>> rows;
  store.read_history(Revision(from), most_bytes,
                     [&](std::vector<HistoryRow> result) { rows = std::move(result); });
  loop.run_until([&] { return rows.has_value(); });
  REQUIRE(rows);
  return *std::move(rows);
}

std::vector<Row> load(SqliteImageStore& store, ImageState& state, std::size_t wanted = 0) {
  std::vector<Row> rows;
  auto loaded = store.load([&](std::size_t table, const Row& row) -> Result<void> {
    if (table == wanted) rows.push_back(row);
    return {};
  });
  REQUIRE(loaded);
  state = *loaded;
  return rows;
}

std::vector<std::uint64_t> firsts(const std::vector<HistoryRow>& rows) {
  std::vector<std::uint64_t> numbers;
  for (const HistoryRow& row : rows) numbers.push_back(row.first.value());
  return numbers;
}

}  // namespace

TEST_CASE("an image comes back as it was committed, with its index") {
  TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  FakeLoop loop;
  {
    auto store = open_image(path, loop);
    store->start();
    store->write({put("b", "1", 1), put("a", "", 2), put("c", "3", 3)}, {});
    store->write({{1, false, {std::string("deploy"), std::int64_t{-1}}}}, {history_pack(1, 3, "changes")});
    commit(*store, loop, 40);
    store->write({removal("c"), put("b", "4", 4)}, {});
    commit(*store, loop, 41);
  }
  auto store = open_image(path, loop);
  ImageState state;
  const std::vector<Row> keys = load(*store, state);
  CHECK(state.applied == Index(41));
  CHECK(state.last_history == Revision(3));
  CHECK(keys ==
        std::vector<Row>{{Blob("a"), Blob(), std::int64_t{2}}, {Blob("b"), Blob("4"), std::int64_t{4}}});
  CHECK(load(*store, state, 1) == std::vector<Row>{{std::string("deploy"), std::int64_t{-1}}});
  CHECK(loop.fatal().empty());
}

TEST_CASE("an image that was not committed leaves no trace") {
  TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  FakeLoop loop;
  {
    auto store = open_image(path, loop);
    store->start();
    store->write({put("a", "1", 1)}, {history_pack(1, 1, "one")});
    commit(*store, loop, 7);
    store->write({put("a", "2", 2), put("b", "2", 2)}, {history_pack(2, 2, "two")});
    store->stop();
  }
  auto store = open_image(path, loop);
  ImageState state;
  CHECK(load(*store, state) == std::vector<Row>{{Blob("a"), Blob("1"), std::int64_t{1}}});
  CHECK(state.applied == Index(7));
  CHECK(state.last_history == Revision(1));
}

TEST_CASE("history is read from the row that holds the revision, within a bound of bytes") {
  TemporaryDirectory directory;
  FakeLoop loop;
  auto store = open_image(directory.file("state.db"), loop);
  store->start();
  CHECK(read_history(*store, loop, 1).empty());
  store->write({}, {history_pack(2, 5, std::string(100, 'a')), history_pack(6, 6, std::string(100, 'b')),
                    history_pack(9, 12, std::string(100, 'c'))});
  commit(*store, loop, 20);
  using Numbers = std::vector<std::uint64_t>;
  CHECK(firsts(read_history(*store, loop, 0)) == Numbers{2, 6, 9});
  CHECK(firsts(read_history(*store, loop, 5)) == Numbers{2, 6, 9});
  CHECK(firsts(read_history(*store, loop, 6)) == Numbers{6, 9});
  CHECK(firsts(read_history(*store, loop, 7)) == Numbers{9});
  CHECK(firsts(read_history(*store, loop, 12)) == Numbers{9});
  CHECK(read_history(*store, loop, 13).empty());
  CHECK(firsts(read_history(*store, loop, 1, 1)) == Numbers{2});
  CHECK(firsts(read_history(*store, loop, 1, 101)) == Numbers{2, 6});
  const std::vector<HistoryRow> last = read_history(*store, loop, 10);
  REQUIRE(last.size() == 1);
  CHECK(last.front().last == Revision(12));
  CHECK(last.front().changes == Blob(std::string(100, 'c')));
}

TEST_CASE("history of an image that is still being written is not seen") {
  TemporaryDirectory directory;
  FakeLoop loop;
  auto store = open_image(directory.file("state.db"), loop);
  store->start();
  store->write({}, {history_pack(1, 1, "one")});
  CHECK(read_history(*store, loop, 1).empty());
  commit(*store, loop, 1);
  store->write({}, {history_pack(2, 4, "two")});
  CHECK(firsts(read_history(*store, loop, 1)) == std::vector<std::uint64_t>{1});
  CHECK(read_history(*store, loop, 3).empty());
  commit(*store, loop, 4);
  CHECK(firsts(read_history(*store, loop, 3)) == std::vector<std::uint64_t>{2});
}

TEST_CASE("an image of another data directory is refused") {
  TemporaryDirectory directory;
  FakeLoop loop;
  open_image(directory.file("state.db"), loop);
  ImageStoreOptions options;
  options.location.path = directory.file("state.db");
  options.tables = kTables;
  options.data_id = "elsewhere";
  const auto store = SqliteImageStore::open(std::move(options));
  REQUIRE_FALSE(store);
  CHECK(store.error().message.find("belongs to another data directory") != std::string::npos);
}

TEST_CASE("an image takes new tables and refuses changed or unknown ones") {
  TemporaryDirectory directory;
  FakeLoop loop;
  const auto refusal = [&](std::vector<TableDescription> tables) {
    ImageStoreOptions options;
    options.location.path = directory.file("state.db");
    options.tables = std::move(tables);
    options.data_id = "here";
    auto store = SqliteImageStore::open(std::move(options));
    return store ? std::string() : store.error().message;
  };
  open_image(directory.file("state.db"), loop, {kTables[0]});
  CHECK(refusal(kTables).empty());
  std::vector<TableDescription> changed = kTables;
  changed[1].columns.push_back({"since", ColumnType::kInteger});
  CHECK(refusal(changed).find("table queue") != std::string::npos);
  CHECK(refusal({kTables[0]}).find("tables that this program does not know") != std::string::npos);
}

TEST_CASE("an image of a million keys and a hundred changes costs a hundred changes") {
  TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  FakeLoop loop;
  open_image(path, loop);
  {
    Connection connection(path, "");
    apply_pragmas(connection, kPageBytes);
    connection.execute(
        "WITH RECURSIVE numbers(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM numbers WHERE n < 999999) "
        "INSERT INTO keys SELECT CAST(printf('k%07d', n) AS BLOB), x'76', n FROM numbers");
    connection.checkpoint(Checkpoint::kTruncate);
  }
  auto store = open_image(path, loop);
  store->start();
  const auto frames_of = [&](std::int64_t changes, std::uint64_t applied) {
    const std::uint64_t before = store->frames_written();
    std::vector<RowChange> rows;
    for (std::int64_t i = 0; i < changes; ++i) {
      const std::string digits = std::to_string(i * 997);
      rows.push_back(put("k" + std::string(7 - digits.size(), '0') + digits, "w", 1'000'000 + i));
    }
    store->write(std::move(rows), {history_pack(applied, applied, "changes")});
    commit(*store, loop, applied);
    return store->frames_written() - before;
  };
  // One leaf for each key, the history, the index, and little else.
  const std::uint64_t hundred = frames_of(100, 1);
  CHECK(hundred >= 100);
  CHECK(hundred <= 110);
  CHECK(frames_of(1, 2) <= 10);
  CHECK(frames_of(1000, 3) >= 1000);
}
