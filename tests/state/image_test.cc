#include <catch2/catch.hpp>
#include <map>

#include "state/row_codec.h"
#include "state/rows.h"
#include "tests/state/cluster_of_one.h"
#include "tests/state/random_commands.h"

using namespace holdfast;
using namespace holdfast::state;

namespace {

/// What storage keeps: the rows of each table by primary key, and the history's packs.
struct Disk {
  std::map<std::pair<std::size_t, std::vector<std::string>>, Row> rows;
  std::vector<HistoryPack> packs;

  static std::string text_of(const Cell& cell) {
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    return std::string(std::get<Blob>(cell).view());
  }
  void write(const std::vector<RowChange>& changes) {
    for (const RowChange& change : changes) {
      const TableDescription& table = table_descriptions().at(change.table);
      REQUIRE(change.cells.size() == (change.removed ? table.key_columns : table.columns.size()));
      std::vector<std::string> key;
      for (std::size_t i = 0; i < table.key_columns; ++i) key.push_back(text_of(change.cells[i]));
      if (change.removed) {
        const bool was_there = rows.erase({change.table, key}) == 1;
        REQUIRE((was_there || change.table == kConfigTable));
      } else {
        rows[{change.table, key}] = change.cells;
      }
    }
  }
  std::size_t rows_of(std::string_view name) const {
    std::size_t count = 0;
    for (const auto& [key, row] : rows) count += table_descriptions()[key.first].name == name;
    return count;
  }
  void load_into(Machine& machine) const {
    // Against the order of the keys, since any order must do.
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      const auto loaded = machine.load(row->first.first, row->second);
      INFO((loaded ? "" : loaded.error().message));
      REQUIRE(loaded);
    }
    for (const HistoryPack& pack : packs) {
      if (pack.last < machine.history_wanted()) continue;
      REQUIRE(machine.load_history(encode_history(pack.changes)));
    }
    REQUIRE(machine.finish_loading());
  }
};

void check_equal(const Machine& a, const Machine& b) {
  CHECK(a.applied() == b.applied());
  CHECK(a.revision() == b.revision());
  CHECK(a.time() == b.time());
  CHECK(a.digest() == b.digest());
  CHECK(a.leases().all() == b.leases().all());
  CHECK(a.leases().ending() == b.leases().ending());
  CHECK(a.config().all() == b.config().all());
  CHECK(a.config().by_lease() == b.config().by_lease());
  CHECK(a.registry().all() == b.registry().all());
  CHECK(a.registry().services() == b.registry().services());
  CHECK(a.registry().by_lease() == b.registry().by_lease());
  CHECK(a.locks().all() == b.locks().all());
  CHECK(a.locks().by_lease() == b.locks().by_lease());
  CHECK(a.locks().last_token() == b.locks().last_token());
  CHECK(a.locks().next_deadline() == b.locks().next_deadline());
  CHECK(a.members() == b.members());
}

/// Takes an image in small slices, with commands in between; `most` rows of the configuration at most.
/// Returns: where the image stands.
template <typename Between>
Index take_image(Machine& machine, Disk& disk, std::size_t slice, const Between& between,
                 Machine::Walk walk = Machine::Walk::kLast, std::size_t most = 1'000'000) {
  std::size_t walked = 0;
  for (bool walks = machine.walk_config(walk); walks && walked < most; walks = machine.is_walking_config()) {
    const auto rows = machine.take_config_rows(slice);
    disk.write(rows);
    walked += rows.size();
    between();
  }
  const Index frozen = machine.freeze();
  for (auto rows = machine.take_rows(slice); !rows.empty(); rows = machine.take_rows(slice)) {
    disk.write(rows);
    between();
  }
  for (auto packs = machine.take_history(1); !packs.empty(); packs = machine.take_history(1)) {
    disk.packs.insert(disk.packs.end(), packs.begin(), packs.end());
    between();
  }
  machine.image_durable(0);
  return frozen;
}

}  // namespace

TEST_CASE("an image taken in slices under load is the state at its index, and from there both go on alike") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    INFO("seed " << seed);
    Machine machine;
    Disk disk;
    RandomCommands commands(seed, seed % 2 == 0);
    std::vector<Blob> log;
    const auto apply_one = [&] {
      log.push_back(encode(commands.next(machine)).value());
      machine.apply(machine.applied().next(), log.back());
    };
    int lagged = 0;
    for (int round = 0; round < 5; ++round) {
      for (int i = 0; i < 200; ++i) apply_one();
      const bool busy = round % 2 == 1;
      const Index frozen =
          take_image(machine, disk, 5, apply_one, busy ? Machine::Walk::kAtIntervals : Machine::Walk::kLast,
                     busy ? 20 : 1000);

      Machine twin;
      while (twin.applied() < frozen) twin.apply(twin.applied().next(), log[twin.applied().value()]);
      Machine loaded;
      disk.load_into(loaded);
      check_equal(loaded, twin);
      lagged += loaded.rows_pending() > 0;
      while (loaded.applied() < machine.applied()) {
        loaded.apply(loaded.applied().next(), log[loaded.applied().value()]);
      }
      check_equal(loaded, machine);
    }
    CHECK(lagged > 0);
    CHECK(disk.rows_of("config") > 0);
    CHECK(disk.rows_of("outcomes") > 0);
  }
}

TEST_CASE("history in the image and in memory join without a gap, on a restarted machine too") {
  ClusterOfOne cluster;
  Disk disk;
  for (int i = 0; i < 1500; ++i) cluster.put("/k" + std::to_string(i % 7), std::to_string(i));
  take_image(cluster.machine, disk, 100, [] {});
  Machine loaded;
  disk.load_into(loaded);
  CHECK(loaded.history().first_in_memory() == Revision(1501));
  CHECK(loaded.first_watchable() == Revision(1));
  REQUIRE(disk.packs.size() > 1);
  std::uint64_t expected = 1;
  for (const HistoryPack& pack : disk.packs) {
    CHECK(pack.first == Revision(expected));
    const auto changes = decode_history(encode_history(pack.changes)).value();
    for (const config::Change& change : changes) {
      REQUIRE(change.revision() == Revision(expected));
      REQUIRE(change.value() == std::to_string(expected - 1));
      ++expected;
    }
    CHECK(pack.last == Revision(expected - 1));
  }
  CHECK(expected == 1501);
}

TEST_CASE("an image costs what changed since the last, and churn that comes to nothing costs nothing") {
  ClusterOfOne cluster;
  Disk disk;
  for (int i = 0; i < 1000; ++i) cluster.put("/k" + std::to_string(i), "x");
  take_image(cluster.machine, disk, 100, [] {});
  CHECK(cluster.machine.rows_pending() == 0);
  cluster.put("/k1", "y");
  CHECK(cluster.machine.rows_pending() == 1);
  const LeaseId lease = cluster.grant();
  cluster.acquire("deploy", lease);
  for (std::uint64_t sequence = 1; sequence < 10; ++sequence) {
    cluster.put("/k1", "z", {}, {lease, sequence, sequence});
  }
  cluster.apply(RevokeLease{lease});
  REQUIRE(cluster.machine.walk_config(Machine::Walk::kAtIntervals));
  CHECK(cluster.machine.take_config_rows(100).size() == 1);
  CHECK_FALSE(cluster.machine.is_walking_config());
  CHECK(cluster.machine.rows_pending() == 0);
}

TEST_CASE("while a large table is written to its rows lag, until as many changes came as it has rows") {
  ClusterOfOne cluster;
  Machine& machine = cluster.machine;
  Disk disk;
  constexpr int kKeys = 10'000;
  for (int i = 0; i < kKeys; ++i) cluster.put("/k" + std::to_string(i), "x");
  take_image(
      machine, disk, 1000, [] {}, Machine::Walk::kAtIntervals);
  CHECK(machine.rows_pending() == 0);

  for (int i = 0; i < 5000; ++i) cluster.put("/k" + std::to_string(i), "y");
  CHECK_FALSE(machine.walk_config(Machine::Walk::kAtIntervals));
  take_image(
      machine, disk, 1000, [] {}, Machine::Walk::kAtIntervals);
  CHECK(machine.rows_pending() == 5000);
  {
    Machine loaded;
    disk.load_into(loaded);
    check_equal(loaded, machine);
    CHECK(loaded.rows_pending() == 5000);
    CHECK(loaded.walk_config(Machine::Walk::kAtRest));
  }
  for (int i = 0; i < 5000; ++i) cluster.put("/k" + std::to_string(i), "z");
  Disk later = disk;
  take_image(
      machine, later, 1000, [] {}, Machine::Walk::kAtIntervals);
  CHECK(machine.rows_pending() == 0);
  CHECK(later.rows_of("config") == kKeys);
  Machine loaded;
  later.load_into(loaded);
  check_equal(loaded, machine);
}

TEST_CASE("a member's last image leaves many rows to its next start, even in the middle of a walk") {
  ClusterOfOne cluster;
  Machine& machine = cluster.machine;
  Disk disk;
  constexpr int kMost = 100'000;
  const auto change_all = [&cluster](int keys) {
    for (int i = 0; i < keys; ++i) cluster.put("/k" + std::to_string(i), "x");
  };
  change_all(kMost);
  CHECK(machine.walk_config(Machine::Walk::kLast));
  take_image(machine, disk, 1000, [] {});
  CHECK(machine.rows_pending() == 0);

  change_all(kMost + 1);
  CHECK_FALSE(machine.walk_config(Machine::Walk::kLast));
  REQUIRE(machine.walk_config(Machine::Walk::kAtIntervals));
  disk.write(machine.take_config_rows(1000));
  REQUIRE(machine.is_walking_config());
  take_image(machine, disk, 1000, [] {});
  CHECK(machine.rows_pending() == kMost + 1);
  Machine loaded;
  disk.load_into(loaded);
  check_equal(loaded, machine);
}

TEST_CASE("under load the rows of a small table lag by more changes than it has rows") {
  ClusterOfOne cluster;
  Machine& machine = cluster.machine;
  Disk disk;
  constexpr int kLag = 1 << 18;
  const auto change = [&cluster](int times) {
    for (int i = 0; i < times; ++i) cluster.put("/k" + std::to_string(i % 2000), std::to_string(i));
  };
  change(2000);
  take_image(machine, disk, 1000, [] {});
  change(kLag - 1);
  CHECK_FALSE(machine.walk_config(Machine::Walk::kUnderLoad));
  change(1);
  take_image(
      machine, disk, 1000, [] {}, Machine::Walk::kUnderLoad);
  CHECK(machine.rows_pending() == 0);
  change(2000);
  CHECK_FALSE(machine.walk_config(Machine::Walk::kUnderLoad));
  CHECK(machine.walk_config(Machine::Walk::kAtIntervals));
}

TEST_CASE("an image whose history ends before its last change is refused") {
  ClusterOfOne cluster;
  Disk disk;
  for (int i = 0; i < 6000; ++i) cluster.put("/k" + std::to_string(i), "x");
  take_image(cluster.machine, disk, 1000, [] {});
  for (int i = 0; i < 5000; ++i) cluster.put("/k" + std::to_string(i), "y");
  take_image(
      cluster.machine, disk, 1000, [] {}, Machine::Walk::kAtIntervals);
  disk.packs.pop_back();
  Machine machine;
  for (const auto& [key, row] : disk.rows) REQUIRE(machine.load(key.first, row));
  for (const HistoryPack& pack : disk.packs) {
    if (pack.last < machine.history_wanted()) continue;
    REQUIRE(machine.load_history(encode_history(pack.changes)));
  }
  const auto finished = machine.finish_loading();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().code == Errc::kCorrupt);
  CHECK(finished.error().message.find("11000, its last change") != std::string::npos);
}

TEST_CASE("an image that lacks a row of meta, or has an unreadable one, is refused and named") {
  ClusterOfOne cluster;
  cluster.put("/a", "1");
  Disk disk;
  take_image(cluster.machine, disk, 100, [] {});
  {
    Disk broken = disk;
    broken.rows.erase({0, {"digest"}});
    Machine machine;
    for (const auto& [key, row] : broken.rows) REQUIRE(machine.load(key.first, row));
    const auto finished = machine.finish_loading();
    REQUIRE_FALSE(finished);
    CHECK(finished.error().code == Errc::kCorrupt);
    CHECK(finished.error().message.find("digest") != std::string::npos);
  }
  {
    Machine machine;
    Row row = disk.rows.at({2, {"/a"}});
    row.pop_back();
    const auto loaded = machine.load(2, row);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Errc::kCorrupt);
    CHECK(loaded.error().message.find("table config") != std::string::npos);
    CHECK_FALSE(machine.load(99, row));
    CHECK_FALSE(machine.load(7, {std::int64_t{1}, std::int64_t{1}, Blob("not an outcome")}));
  }
}

TEST_CASE("no rows at all make the machine of a new cluster") {
  Machine machine;
  REQUIRE(machine.finish_loading());
  CHECK(machine.applied() == Index(0));
  CHECK(machine.history().first_in_memory() == Revision(1));
}
