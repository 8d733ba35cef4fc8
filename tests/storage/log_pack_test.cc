#include "storage/log_pack.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "storage/failure.h"
#include "storage/log_database.h"
#include "storage/pragmas.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/log_entries.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

/// Entries with payloads of these sizes, from `first` on, in term 1.
std::vector<raft::Entry> sized(std::uint64_t first, const std::vector<std::size_t>& sizes) {
  std::vector<raft::Entry> list;
  for (const std::size_t size : sizes) {
    list.push_back({Term(1), Index(first), raft::EntryKind::kCommand, Blob(std::string(size, 'x'))});
    ++first;
  }
  return list;
}

/// A log on files in memory.
struct Disk {
  void in_transaction(const std::function<void(LogDatabase&)>& steps) {
    LogDatabase log(location);
    log.load();
    log.begin();
    steps(log);
    log.commit();
  }
  LogContents load() { return LogDatabase(location).load(); }
  /// "1-5 6-8": where the packs begin and end.
  std::string packs() {
    Connection connection(location.path, location.vfs);
    hold_exclusively(connection);
    return connection.query("SELECT group_concat(first_index || '-' || last_index, ' ') FROM log");
  }
  std::string query(const char* sql) {
    Connection connection(location.path, location.vfs);
    hold_exclusively(connection);
    return connection.query(sql);
  }
  std::string refusal() {
    try {
      LogDatabase(location).load();
      return "";
    } catch (const StorageFailure& failure) {
      return failure.what();
    }
  }

  FaultyDisk files{1};
  FaultVfs vfs{files};
  Location location{"log.db", vfs.name()};
};

}  // namespace

TEST_CASE("the bytes of a pack are those of format 3") {
  std::string bytes;
  add_to_pack(bytes, raft::EntryKind::kNoop, "");
  add_to_pack(bytes, raft::EntryKind::kCommand, "abc");
  add_to_pack(bytes, raft::EntryKind::kMembership, std::string(300, 'm'));
  CHECK(bytes.size() == 10 + 300);
  CHECK(bytes.substr(0, 10) == std::string("\0\0\1\3abc\2\xac\2", 10));
  CHECK(bytes.substr(10) == std::string(300, 'm'));
}

TEST_CASE("what was put into a pack comes out of it, and never more than it holds") {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> payloads;
    std::string bytes;
    for (std::uint64_t count = random.below(6); count > 0; --count) {
      payloads.emplace_back(random.below(2) ? random.below(300) : random.below(40'000), 'p');
      const std::size_t before = bytes.size();
      add_to_pack(bytes, raft::EntryKind::kCommand, payloads.back());
      CHECK(bytes.size() - before <= packed_bytes(payloads.back().size()));
    }
    PackReader reader(bytes);
    for (const std::string& payload : payloads) {
      const auto entry = reader.next();
      REQUIRE(entry);
      CHECK(entry->payload == payload);
    }
    CHECK(reader.at_end());
    CHECK(reader.bytes_taken() == bytes.size());
    CHECK_FALSE(reader.next());
    if (bytes.empty()) continue;
    PackReader cut(std::string_view(bytes).substr(0, bytes.size() - 1));
    for (std::size_t i = 0; i + 1 < payloads.size(); ++i) REQUIRE(cut.next());
    CHECK_FALSE(cut.next());
    CHECK_FALSE(cut.at_end());
  }
}

TEST_CASE("a length that reaches behind a pack's end, or never ends, is no entry") {
  CHECK_FALSE(PackReader(std::string_view("\1", 1)).next());
  CHECK_FALSE(PackReader(std::string_view("\1\2a", 3)).next());
  CHECK_FALSE(PackReader(std::string_view("\1\x80", 2)).next());
  CHECK_FALSE(PackReader(std::string_view("\1\x80\x80\x80\x80\x80\x01zzz", 10)).next());
  CHECK_FALSE(PackReader(std::string_view("\1\xff\xff\xff\xff\x7fzzz", 9)).next());
}

TEST_CASE("the chain depends on every part of a pack and on what came before") {
  const LogPack pack{Index(9), Index(11), Term(2), 0, "entries"};
  const std::uint32_t chain = chain_of(pack, 1);
  LogPack other = pack;
  other.first = Index(8);
  CHECK(chain_of(other, 1) != chain);
  other = pack;
  other.last = Index(12);
  CHECK(chain_of(other, 1) != chain);
  other = pack;
  other.term = Term(3);
  CHECK(chain_of(other, 1) != chain);
  other = pack;
  other.entries = "Entries";
  CHECK(chain_of(other, 1) != chain);
  CHECK(chain_of(pack, 2) != chain);
  // DO NOT CHANGE: logs on disk carry this value.
  CHECK(chain == 1104005586);
}

TEST_CASE("the writes of a transaction share packs, those of two do not") {
  Disk disk;
  disk.in_transaction([](LogDatabase& log) {
    for (std::uint64_t i = 1; i <= 20; ++i) log.write(std::nullopt, entries(i, i, 1));
  });
  disk.in_transaction([](LogDatabase& log) { log.write(std::nullopt, entries(21, 22, 1)); });
  CHECK(disk.packs() == "1-20 21-22");
  CHECK(disk.load().entries == entries(1, 22, 1));
}

TEST_CASE("a pack holds entries of one term") {
  Disk disk;
  disk.in_transaction([](LogDatabase& log) {
    log.write(std::nullopt, entries(1, 3, 1));
    log.write(hard_state(2, 0), entries(4, 5, 2));
  });
  CHECK(disk.packs() == "1-3 4-5");
  CHECK(disk.load().entries.back().term == Term(2));
}

TEST_CASE("full packs fill their pages and have none beside them") {
  Disk disk;
  disk.in_transaction([](LogDatabase&) {});
  const int before = std::stoi(disk.query("PRAGMA page_count"));
  constexpr int kPacks = 40;
  // Each as large as a pack may be.
  disk.in_transaction([](LogDatabase& log) {
    for (std::uint64_t i = 1; i <= kPacks; ++i) {
      log.write(std::nullopt, sized(i, {kPackBytes - packed_bytes(0)}));
    }
  });
  CHECK(disk.query("SELECT count(*) FROM log") == std::to_string(kPacks));
  CHECK(std::stoi(disk.query("PRAGMA page_count")) == before + kPacks);
}

TEST_CASE("an entry larger than a page is a pack by itself among small ones") {
  Disk disk;
  std::vector<raft::Entry> list = sized(1, {10, 10, 100'000, 10, kPackBytes, kPackBytes + 1, 0, 0});
  disk.in_transaction([&](LogDatabase& log) { log.write(std::nullopt, list); });
  CHECK(disk.packs() == "1-2 3-3 4-4 5-5 6-6 7-8");
  CHECK(disk.load().entries == list);
}

TEST_CASE("a conflicting tail that begins inside a pack leaves the pack's beginning") {
  Disk disk;
  disk.in_transaction([](LogDatabase& log) { log.write(std::nullopt, entries(1, 4, 1)); });
  disk.in_transaction([](LogDatabase& log) { log.write(std::nullopt, entries(5, 20, 1)); });
  const std::uint64_t from = GENERATE(1u, 3u, 5u, 6u, 20u);
  INFO("from " << from);
  disk.in_transaction([&](LogDatabase& log) {
    log.write(hard_state(2, 0), entries(from, from + 1, 2));
    log.write(std::nullopt, entries(from + 2, from + 2, 2));
  });
  std::vector<raft::Entry> expected = entries(1, from - 1, 1);
  for (const raft::Entry& entry : entries(from, from + 2, 2)) expected.push_back(entry);
  CHECK(disk.load().entries == expected);
  // And once more into what is there now, in the middle of a transaction that has a pack begun.
  disk.in_transaction([&](LogDatabase& log) {
    log.write(std::nullopt, entries(from + 3, from + 6, 2));
    log.write(hard_state(3, 0), entries(from + 5, from + 5, 3));
  });
  for (const raft::Entry& entry : entries(from + 3, from + 4, 2)) expected.push_back(entry);
  expected.push_back(entries(from + 5, from + 5, 3).front());
  CHECK(disk.load().entries == expected);
}

TEST_CASE("a log compacted into a pack keeps the pack and loses those before it") {
  Disk disk;
  for (const std::uint64_t first : {1u, 11u, 21u}) {
    disk.in_transaction([&](LogDatabase& log) { log.write(std::nullopt, entries(first, first + 9, 1)); });
  }
  const std::uint64_t base = GENERATE(5u, 10u, 11u, 14u, 20u, 29u, 30u);
  INFO("base " << base);
  const auto remove = [](LogDatabase& log) {
    while (log.remove_compacted(1)) {
    }
  };
  {
    LogDatabase log(disk.location);
    log.load();
    log.begin();
    log.compact(Index(base), Term(1), {});
    log.commit();
    remove(log);
  }
  const std::string left = base < 10   ? "1-10 11-20 21-30"
                           : base < 20 ? "11-20 21-30"
                           : base < 30 ? "21-30"
                                       : "";
  CHECK(disk.packs() == left);
  CHECK(disk.load().entries == entries(base + 1, 30, 1));
  // What is behind the base can still be replaced, all of it too, and compacted.
  disk.in_transaction([&](LogDatabase& log) { log.write(hard_state(2, 0), entries(base + 1, base + 4, 2)); });
  CHECK(disk.load().entries == entries(base + 1, base + 4, 2));
  {
    LogDatabase log(disk.location);
    log.load();
    log.begin();
    log.compact(Index(base + 2), Term(2), {});
    log.commit();
    remove(log);
  }
  CHECK(disk.load().entries == entries(base + 3, base + 4, 2));
}

TEST_CASE("an image is installed inside a pack that has its entry, and inside one that has another") {
  Disk disk;
  disk.in_transaction([](LogDatabase& log) { log.write(std::nullopt, entries(1, 10, 1)); });
  disk.in_transaction([](LogDatabase& log) { log.write(std::nullopt, entries(11, 20, 1)); });
  const bool same = GENERATE(true, false);
  const std::uint64_t at = GENERATE(4u, 10u, 15u, 20u);
  INFO("at " << at);
  const Term term(same ? 1 : 2);
  disk.in_transaction([&](LogDatabase& log) {
    log.install({Index(at), term, {}}, "image.db");
    log.write(hard_state(2, 0), entries(same ? 21 : at + 1, 25, 2));
  });
  std::vector<raft::Entry> expected = same ? entries(at + 1, 20, 1) : entries(at + 1, 25, 2);
  if (same) {
    for (const raft::Entry& entry : entries(21, 25, 2)) expected.push_back(entry);
  }
  CHECK(disk.load().entries == expected);
  {
    LogDatabase log(disk.location);
    log.load();
    while (log.remove_compacted(1)) {
    }
  }
  CHECK(disk.load().entries == expected);
}

TEST_CASE("a pack half built when the disk is full is gone with its transaction") {
  Disk disk;
  LogDatabase log(disk.location);
  log.load();
  log.begin();
  log.write(hard_state(1, 0), entries(1, 5, 1));
  log.commit();
  const bool at_commit = GENERATE(true, false);
  disk.files.fail_at(1, Fault::kFull);
  log.begin();
  const auto fill = [&] {
    log.write(hard_state(2, 0), entries(4, 9, 2));  // cuts a pack, and begins one
    if (!at_commit) log.compact(Index(3), Term(1), {});
    log.commit();
  };
  CHECK_THROWS_AS(fill(), DiskFull);
  log.rollback();
  disk.files.forget_fault();
  log.begin();
  log.write(std::nullopt, entries(6, 7, 1));
  log.commit();
  const LogContents contents = disk.load();
  CHECK(contents.entries == entries(1, 7, 1));
  CHECK(contents.hard_state == hard_state(1, 0));
}

TEST_CASE("a pack whose bytes do not fit its row is refused although its checksum is right") {
  Disk disk;
  disk.in_transaction([](LogDatabase& log) { log.write(std::nullopt, entries(1, 10, 1)); });
  std::string bytes;
  for (int i = 0; i < 3; ++i) add_to_pack(bytes, raft::EntryKind::kCommand, "payload");
  const std::uint64_t last = GENERATE(2u, 3u, 4u);
  LogPack pack{Index(1), Index(last), Term(1), 0, bytes};
  if (last == 3) pack.entries.pop_back();
  pack.chain = chain_of(pack, 0);
  {
    Connection connection(disk.location.path, disk.location.vfs);
    hold_exclusively(connection);
    Statement replace(connection, "UPDATE log SET last_index = ?, chain = ?, entries = ?");
    replace.bind_number(0, last).bind_number(1, pack.chain).bind_bytes(2, pack.entries).run();
  }
  CHECK(disk.refusal().find("are not in their row") != std::string::npos);
}

TEST_CASE("a log of an older format is refused with what to do") {
  Disk disk;
  disk.in_transaction([](LogDatabase& log) { log.write(std::nullopt, entries(1, 10, 1)); });
  const int version = GENERATE(1, 2, 4);
  {
    Connection connection(disk.location.path, disk.location.vfs);
    hold_exclusively(connection);
    connection.execute(("PRAGMA user_version=" + std::to_string(version)).c_str());
  }
  const std::string refusal = disk.refusal();
  CHECK(refusal.find("has format " + std::to_string(version) + " and this program reads format 3") !=
        std::string::npos);
  CHECK(refusal.find("run the version of Holdfast that wrote it") != std::string::npos);
}

TEST_CASE("a log of an older format with pages of another size is refused for its format") {
  Disk disk;
  {
    Connection connection(disk.location.path, disk.location.vfs);
    apply_pragmas(connection, 512);
    connection.execute("CREATE TABLE log (entry_index)");
    connection.execute("PRAGMA application_id=1214663783");  // "HfLg"
    connection.execute("PRAGMA user_version=2");
  }
  CHECK(disk.refusal().find("has format 2 and this program reads format 3") != std::string::npos);
}
