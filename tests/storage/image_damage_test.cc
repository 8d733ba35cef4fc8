#include <catch2/catch.hpp>
#include <ctime>
#include <optional>

#include "storage/failure.h"
#include "storage/image_database.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/history_pack.h"
#include "tests/temporary_directory.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

const std::vector<TableDescription> kTables = {
    {"keys",
     {{"key", ColumnType::kText}, {"value", ColumnType::kBytes}, {"number", ColumnType::kInteger}},
     1},
    {"queue", {{"lock", ColumnType::kText}, {"place", ColumnType::kInteger}}, 2},
};

RowChange put(std::uint64_t n) {
  return {0, false, {"key " + std::to_string(n), Blob(std::string(40, 'v')), static_cast<std::int64_t>(n)}};
}

/// Forty keys, some of them changed and removed again, and a queue that came and went.
void fill(ImageDatabase& image) {
  for (std::uint64_t n = 1; n <= 40; ++n) {
    image.write({put(n), {1, false, {std::string("deploy"), static_cast<std::int64_t>(n)}}},
                {history_pack(2 * n, 2 * n + 1, "changes " + std::to_string(n))});
    RowChange again = put(n / 2 + 1);
    again.cells[2] = std::int64_t{-1};
    image.write({again, {1, true, {std::string("deploy"), static_cast<std::int64_t>(n)}}}, {});
    image.write({{0, true, {std::string("key never there")}}}, {});
    if (n % 7 == 0) image.write({{0, true, {"key " + std::to_string(n)}}}, {});
    image.commit(Index(n));
  }
}

using Contents = std::vector<Row>;

/// Everything that an image says, or nothing if it is refused.
std::optional<Contents> look(const Location& location, std::string& refusal) {
  try {
    ImageDatabase image(location, kTables, "here");
    Contents contents;
    const auto loaded = image.load([&](std::size_t, const Row& row) -> Result<void> {
      contents.push_back(row);
      return {};
    });
    REQUIRE(loaded);
    contents.push_back({static_cast<std::int64_t>(image.state().applied.value())});
    for (const node::HistoryRow& row : image.read_history(Revision(1), 1 << 20)) {
      contents.push_back({static_cast<std::int64_t>(row.first.value()),
                          static_cast<std::int64_t>(row.last.value()), row.changes});
    }
    return contents;
  } catch (const StorageFailure& failure) {
    refusal = failure.what();
    return std::nullopt;
  }
}

void run(const Location& location, const std::string& sql) {
  Connection connection(location.path, location.vfs);
  connection.execute("PRAGMA locking_mode=EXCLUSIVE");
  connection.execute(sql.c_str());
}

}  // namespace

TEST_CASE("a flipped bit in the image's file is refused or does no harm") {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"state.db", vfs.name()};
  {
    ImageDatabase image(location, kTables, "here");
    fill(image);
    image.checkpoint(Checkpoint::kTruncate);
  }
  const std::string bytes = disk.contents("state.db");
  std::string refusal;
  const std::optional<Contents> whole = look(location, refusal);
  REQUIRE(whole.has_value());
  std::size_t refused = 0;
  for (std::size_t byte = 0; byte < bytes.size(); byte += 41) {
    disk.replace("state.db", bytes);
    disk.flip_bit("state.db", byte, static_cast<unsigned>(byte % 8));
    const std::optional<Contents> found = look(location, refusal);
    INFO("byte " << byte << ": " << refusal);
    if (!found) {
      ++refused;
      CHECK(refusal.find("state.db") != std::string::npos);
    } else {
      CHECK((*found == *whole));
    }
  }
  CHECK(refused > 50);
}

TEST_CASE(
    "a row of the image that is changed, missing, stale or added is refused and told what to do about") {
  const char* damage = GENERATE(
      "UPDATE keys SET value = x'00' WHERE key = 'key 3'", "UPDATE keys SET number = 7 WHERE key = 'key 3'",
      "UPDATE keys SET key = 'other' WHERE key = 'key 3'", "DELETE FROM keys WHERE key = 'key 3'",
      "INSERT INTO queue VALUES ('deploy', 5)", "UPDATE image SET applied_index = 39",
      "UPDATE image SET last_revision = 80", "UPDATE image_tables SET row_count = 5 WHERE name = 'keys'",
      "UPDATE image_tables SET checksum_sum = 0 WHERE name = 'keys'", "DELETE FROM image_tables",
      "DELETE FROM history WHERE first_revision = 80", "DELETE FROM history WHERE first_revision = 40",
      "DELETE FROM history WHERE first_revision = 2",
      "UPDATE history SET changes = x'01' WHERE first_revision = 40",
      "UPDATE history SET last_revision = 40 WHERE first_revision = 40",
      "UPDATE history SET previous_revision = 0 WHERE first_revision = 40");
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"state.db", vfs.name()};
  {
    ImageDatabase image(location, kTables, "here");
    fill(image);
  }
  run(location, damage);
  std::string refusal;
  INFO(damage);
  CHECK_FALSE(look(location, refusal).has_value());
  CHECK(refusal.find("is damaged") != std::string::npos);
  CHECK(refusal.find("holdfastd --rejoin") != std::string::npos);
}

TEST_CASE("damage to history is found when it is read from the middle too") {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"state.db", vfs.name()};
  {
    ImageDatabase image(location, kTables, "here");
    fill(image);
  }
  run(location, "DELETE FROM history WHERE first_revision = 40");
  ImageDatabase image(location, kTables, "here");
  CHECK(image.read_history(Revision(42), 1 << 20).size() == 20);
  CHECK_THROWS_AS(image.read_history(Revision(40), 1 << 20), StorageFailure);
  CHECK_THROWS_AS(image.read_history(Revision(41), 1), StorageFailure);
  CHECK_THROWS_AS(image.read_history(Revision(39), 1 << 20), StorageFailure);
}

TEST_CASE("a start reads as much with two hundred thousand packs of history as with ten") {
  const auto reads_of_a_start = [](int packs) {
    FaultyDisk disk(1);
    const FaultVfs vfs(disk);
    const Location location{"state.db", vfs.name()};
    {
      ImageDatabase image(location, kTables, "here");
      fill(image);
      std::vector<node::HistoryPack> rows;
      for (std::uint64_t n = 1; n <= static_cast<std::uint64_t>(packs); ++n) {
        rows.push_back(history_pack(100 + n, 100 + n, "changes"));
      }
      image.write({}, rows);
      image.commit(Index(50));
      image.checkpoint(Checkpoint::kTruncate);
    }
    const std::uint64_t before = disk.reads();
    ImageDatabase image(location, kTables, "here");
    std::size_t rows = 0;
    REQUIRE(image.load([&](std::size_t, const Row&) -> Result<void> {
      ++rows;
      return {};
    }));
    CHECK(rows == 38);
    CHECK(image.state().last_history == Revision(100 + static_cast<std::uint64_t>(packs)));
    return disk.reads() - before;
  };
  // The way to history's last row is a page or two longer.
  CHECK(reads_of_a_start(200'000) <= reads_of_a_start(10) + 4);
}

// Run by name: it measures, for docs/formats/LOG.md.
TEST_CASE("what digests cost and how long a start takes", "[.measure]") {
  // Of this process: the machine may be busy.
  const auto milliseconds_since = [](std::clock_t begin) {
    return 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  TemporaryDirectory directory;
  const Location location{directory.file("state.db"), ""};
  {
    ImageDatabase image(location, kTables, "here");
    auto begin = std::clock();
    std::vector<RowChange> rows;
    for (std::uint64_t n = 0; n < 100'000; ++n) rows.push_back(put(n));
    image.write(rows, {});
    image.commit(Index(1));
    WARN("100 k new rows: " << milliseconds_since(begin) << " ms");
    begin = std::clock();
    for (RowChange& row : rows) row.cells[2] = std::int64_t{5};
    image.write(rows, {});
    image.commit(Index(2));
    WARN("100 k changed rows: " << milliseconds_since(begin) << " ms");
    begin = std::clock();
    for (std::uint64_t slice = 0; slice < 1000; ++slice) {
      std::vector<node::HistoryPack> packs;
      for (std::uint64_t n = 1; n <= 1000; ++n) {
        packs.push_back(history_pack(slice * 1000 + n, slice * 1000 + n, std::string(100, 'h')));
      }
      image.write({}, packs);
    }
    image.commit(Index(3));
    WARN("1 M history rows: " << milliseconds_since(begin) << " ms");
    image.checkpoint(Checkpoint::kTruncate);
  }
  const auto begin = std::clock();
  ImageDatabase image(location, kTables, "here");
  const double opened = milliseconds_since(begin);
  std::size_t rows = 0;
  REQUIRE(image.load([&](std::size_t, const Row&) -> Result<void> {
    ++rows;
    return {};
  }));
  WARN("start with 1 M history rows: opened in " << opened << " ms, " << rows << " rows loaded after "
                                                 << milliseconds_since(begin) << " ms");
}
