#include <catch2/catch.hpp>
#include <set>

#include "storage/failure.h"
#include "storage/log_database.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/log_entries.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

struct Found {
  std::optional<Identity> identity;
  LogContents contents;
  friend bool operator==(const Found& a, const Found& b) {
    return a.identity == b.identity && a.contents.hard_state == b.contents.hard_state &&
           a.contents.base_index == b.contents.base_index && a.contents.base_term == b.contents.base_term &&
           a.contents.entries == b.contents.entries;
  }
};

/// Empty if it was refused.
std::optional<Found> look(const Location& location, std::string& refusal) {
  try {
    LogDatabase log(location);
    return Found{log.identity(), log.load()};
  } catch (const StorageFailure& failure) {
    refusal = failure.what();
    return std::nullopt;
  }
}

void append(LogDatabase& log, std::uint64_t first, std::uint64_t last) {
  log.begin();
  log.write(hard_state(1, first), entries(first, last, 1));
  log.commit();
}

}  // namespace

TEST_CASE("a flipped bit in the log's file is refused or does no harm") {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"log.db", vfs.name()};
  {
    LogDatabase log(location);
    log.load();
    log.set_identity(some_identity());
    for (std::uint64_t first = 1; first < 60; first += 12) append(log, first, first + 11);
    log.begin();
    log.compact(Index(20), Term(1), {});
    log.commit();
    while (log.remove_compacted(1000)) {
    }
    log.checkpoint(Checkpoint::kTruncate);
  }
  const std::string bytes = disk.contents("log.db");
  std::string refusal;
  const std::optional<Found> whole = look(location, refusal);
  REQUIRE(whole);
  std::size_t refused = 0;
  for (std::size_t byte = 0; byte < bytes.size(); byte += 11) {
    disk.replace("log.db", bytes);
    disk.flip_bit("log.db", byte, static_cast<unsigned>(byte % 8));
    const std::optional<Found> found = look(location, refusal);
    INFO("byte " << byte);
    if (!found) {
      ++refused;
      CHECK(refusal.find("log.db") != std::string::npos);
    } else {
      CHECK(*found == *whole);
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("a missing, doubled, exchanged or changed pack breaks the chain of the log") {
  // Packs of two entries: 1-2, 3-4, ... 9-10.
  const char* damage = GENERATE(
      "DELETE FROM log WHERE first_index = 7", "UPDATE log SET term = 2 WHERE first_index = 7",
      "UPDATE log SET last_index = 9 WHERE first_index = 7",
      "UPDATE log SET last_index = 7 WHERE first_index = 7",
      "UPDATE log SET entries = x'0000' WHERE first_index = 7",
      "UPDATE log SET entries = CAST(entries || x'0000' AS BLOB) WHERE first_index = 7",
      "UPDATE log SET chain = chain + 1 WHERE first_index = 9",
      "UPDATE log SET (entries, chain) = (SELECT entries, chain FROM log WHERE "
      "first_index = 5) WHERE first_index = 7",
      "INSERT INTO log SELECT first_index + 1, last_index, term, chain, entries FROM log WHERE first_index = "
      "7",
      "UPDATE log SET first_index = 11 WHERE first_index = 9",
      // The one that holds the base, and the entry behind it.
      "DELETE FROM log WHERE first_index = 3", "DELETE FROM log WHERE first_index >= 3",
      "UPDATE log SET last_index = 3 WHERE first_index = 3",
      "UPDATE log SET first_index = 2 WHERE first_index = 3", "UPDATE state SET base_pack = 5",
      "UPDATE state SET base_chain = 0", "UPDATE state SET voted_for = 2", "UPDATE state SET term = 9",
      "UPDATE identity SET member = 2", "UPDATE members SET peer_address = 'c:1' WHERE place = 1",
      "DELETE FROM members WHERE place = 1", "UPDATE members SET data_id = 'other' WHERE stage = 'base'",
      "UPDATE state SET image_file = 'other.db'", "UPDATE founders SET name = 'n7' WHERE place = 1",
      "DELETE FROM founders WHERE place = 1");
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"log.db", vfs.name()};
  {
    LogDatabase log(location);
    log.load();
    log.set_identity(some_identity());
    for (std::uint64_t first = 1; first < 10; first += 2) append(log, first, first + 1);
    log.begin();
    log.compact(Index(3), Term(1), some_identity().membership);
    log.commit();
    while (log.remove_compacted(1)) {
    }
  }
  {
    Connection connection(location.path, location.vfs);
    connection.execute("PRAGMA locking_mode=EXCLUSIVE");
    connection.execute(damage);
  }
  std::string refusal;
  INFO(damage);
  CHECK_FALSE(look(location, refusal));
  CHECK(refusal.find("is damaged") != std::string::npos);
}

TEST_CASE("a flipped bit in the write-ahead log is refused when it would drop what was committed") {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"log.db", vfs.name()};
  constexpr std::uint64_t kCommits = 12;
  {
    LogDatabase log(location);
    log.load();
    for (std::uint64_t i = 1; i <= kCommits; ++i) append(log, i, i);
  }
  const std::string database = disk.contents("log.db");
  const std::string wal = disk.contents("log.db-wal");
  std::size_t refused = 0;
  std::set<std::size_t> lengths;
  for (std::size_t byte = 0; byte < wal.size(); byte += 37) {
    disk.replace("log.db", database);
    disk.replace("log.db-wal", wal);
    disk.flip_bit("log.db-wal", byte, static_cast<unsigned>(byte % 8));
    std::string refusal;
    const std::optional<Found> found = look(location, refusal);
    INFO("byte " << byte);
    if (!found) {
      ++refused;
      CHECK(refusal.find("is damaged") != std::string::npos);
      CHECK(refusal.find("log.db-wal") != std::string::npos);
    } else {
      // In the last two transactions damage looks like the incomplete one that a power cut leaves.
      lengths.insert(found->contents.entries.size());
      CHECK(found->contents.entries.size() >= kCommits - 2);
    }
  }
  CHECK(refused > wal.size() / 37 / 2);
  CHECK(lengths == std::set<std::size_t>{kCommits - 2, kCommits - 1});
}

TEST_CASE("a torn header in front of frames that the database has already drops nothing") {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"log.db", vfs.name()};
  const auto flip_in_header = [&](std::size_t byte, std::string& refusal) {
    const std::string wal = disk.contents("log.db-wal");
    disk.flip_bit("log.db-wal", byte, 3);
    const std::optional<Found> found = look(location, refusal);
    disk.replace("log.db-wal", wal);
    return found;
  };
  {
    LogDatabase log(location);
    log.load();
    for (std::uint64_t i = 1; i <= 12; ++i) append(log, i, i);
    log.checkpoint(Checkpoint::kPassive);
  }
  std::string refusal;
  for (std::size_t byte = 0; byte < 32; ++byte) {
    const std::optional<Found> found = flip_in_header(byte, refusal);
    INFO("byte " << byte << ": " << refusal);
    REQUIRE(found);
    CHECK(found->contents.entries.size() == 12);
  }
  // Begun anew, it holds what the database does not have.
  {
    LogDatabase log(location);
    log.load();
    append(log, 13, 13);
  }
  for (std::size_t byte = 0; byte < 32; ++byte) {
    INFO("byte " << byte);
    CHECK_FALSE(flip_in_header(byte, refusal));
    CHECK(refusal.find("its header is damaged") != std::string::npos);
  }
}

TEST_CASE("a write-ahead log without its database is refused") {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  const Location location{"log.db", vfs.name()};
  {
    LogDatabase log(location);
    log.load();
    append(log, 1, 3);
  }
  disk.remove("log.db");
  std::string refusal;
  CHECK_FALSE(look(location, refusal));
  CHECK(refusal.find("is missing or empty") != std::string::npos);
}
