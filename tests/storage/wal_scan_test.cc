#include "storage/wal_scan.h"

#include <catch2/catch.hpp>

#include "storage/database.h"
#include "storage/pragmas.h"
#include "tests/storage/fault_vfs.h"

using namespace holdfast::storage;

namespace {

constexpr std::size_t kFrame = frame_bytes(kPageBytes);

/// A write-ahead log made by SQLite: `commits` transactions of one row each.
std::string make_wal(int commits, bool reused = false) {
  FaultyDisk disk(3);
  const FaultVfs vfs(disk);
  Connection connection("a.db", vfs.name());
  apply_pragmas(connection, kPageBytes);
  connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
  if (reused) {
    for (int i = 0; i < 20; ++i) connection.execute("INSERT INTO t (b) VALUES (randomblob(3000))");
  }
  connection.checkpoint(reused ? Checkpoint::kPassive : Checkpoint::kTruncate);
  for (int i = 0; i < commits; ++i) connection.execute("INSERT INTO t (b) VALUES (1)");
  return disk.contents("a.db-wal");
}

std::string flipped(std::string bytes, std::size_t at) {
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x10);
  return bytes;
}

/// Where frame `number` (from 1) begins. Every transaction here is one frame.
std::size_t frame(std::size_t number) { return kWalHeaderBytes + (number - 1) * kFrame; }

}  // namespace

TEST_CASE("a write-ahead log without frames is empty") {
  CHECK(scan_wal("").verdict == WalVerdict::kEmpty);
  CHECK(scan_wal(std::string(10, 'x')).verdict == WalVerdict::kEmpty);
  const std::string wal = make_wal(1);
  CHECK(scan_wal(wal.substr(0, kWalHeaderBytes)).verdict == WalVerdict::kEmpty);
  CHECK(scan_wal(flipped(wal.substr(0, kWalHeaderBytes), 20)).verdict == WalVerdict::kEmpty);
}

TEST_CASE("a write-ahead log as SQLite makes it is whole") {
  const std::string wal = make_wal(5);
  REQUIRE(wal.size() == kWalHeaderBytes + 5 * kFrame);
  CHECK(scan_wal(wal) == WalReport{WalVerdict::kWhole, 5, 0, 0});
}

TEST_CASE("a write-ahead log that was reused ends where the older frames begin") {
  const WalReport report = scan_wal(make_wal(3, true));
  CHECK(report.verdict == WalVerdict::kTorn);
  CHECK(report.good_frames == 3);
  CHECK(report.bad_frame == 4);
  CHECK(report.commits_dropped == 0);
}

TEST_CASE("a write-ahead log that a crash cut short is torn, wherever it was cut") {
  const std::string wal = make_wal(4);
  for (std::size_t size = frame(4) + 1; size < wal.size(); size += 101) {
    CHECK(scan_wal(wal.substr(0, size)) == WalReport{WalVerdict::kTorn, 3, 4, 0});
  }
  std::string zeros = wal;
  zeros.resize(wal.size() + 3 * kFrame, '\0');  // the file grew, what was written did not arrive
  CHECK(scan_wal(zeros) == WalReport{WalVerdict::kTorn, 4, 5, 0});
}

TEST_CASE("one commit behind a bad frame may be a torn transaction, two are damage") {
  const std::string wal = make_wal(6);
  for (const std::size_t part : {std::size_t{0}, std::size_t{9}, std::size_t{17}, std::size_t{1000}}) {
    INFO("byte " << part << " of the frame");
    CHECK(scan_wal(flipped(wal, frame(6) + part)) == WalReport{WalVerdict::kTorn, 5, 6, 0});
    CHECK(scan_wal(flipped(wal, frame(5) + part)).verdict == WalVerdict::kTorn);
    CHECK(scan_wal(flipped(wal, frame(2) + part)).verdict == WalVerdict::kDamaged);
    CHECK(scan_wal(flipped(wal, frame(2) + part)).bad_frame == 2);
    CHECK(scan_wal(flipped(wal, frame(1) + part)).verdict == WalVerdict::kDamaged);
  }
  // A frame's stored checksum seeds the next frame's: a flip there spoils two.
  CHECK(scan_wal(flipped(wal, frame(4) + 1000)).commits_dropped == 2);
  CHECK(scan_wal(flipped(wal, frame(4) + 17)).commits_dropped == 1);
}

TEST_CASE("a damaged header with frames behind it is damage") {
  const std::string wal = make_wal(1);
  for (std::size_t at = 0; at < kWalHeaderBytes; ++at) {
    INFO("byte " << at);
    CHECK(scan_wal(flipped(wal, at)) == WalReport{WalVerdict::kDamaged, 0, 0, 0});
  }
}

TEST_CASE("the scan survives any bytes") {
  holdfast::Random random(11);
  const std::string wal = make_wal(3);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = wal.substr(0, random.below(wal.size() + 1));
    for (int change = 0; change < 20 && !bytes.empty(); ++change) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    CHECK(scan_wal(bytes).good_frames <= 3);
  }
}
