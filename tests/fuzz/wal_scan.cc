#include "storage/wal_scan.h"

#include "base/check.h"
#include "storage/database.h"
#include "storage/pragmas.h"
#include "tests/fuzz/targets.h"
#include "tests/storage/fault_vfs.h"

namespace holdfast::fuzz {

using namespace storage;

void wal_scan(std::string_view bytes) {
  const WalReport whole = scan_wal(bytes);
  const std::size_t body = bytes.size() < kWalHeaderBytes ? 0 : bytes.size() - kWalHeaderBytes;
  INVARIANT(whole.good_frames <= body / kWalFrameHeaderBytes, "no more frames than there are bytes for");
  INVARIANT((whole.verdict == WalVerdict::kEmpty) <= (whole.good_frames == 0), "an empty log has no frames");
  // Damage is found however the file is cut behind it.
  if (whole.verdict == WalVerdict::kWhole) {
    const WalReport cut = scan_wal(bytes.substr(0, bytes.size() - 1));
    INVARIANT(cut.good_frames <= whole.good_frames, "fewer bytes hold no more frames");
    INVARIANT(cut.verdict != WalVerdict::kDamaged, "a log that lost its end is torn, not damaged");
  }
}

/// Logs that SQLite wrote, whole, reused, torn, and damaged in one place.
std::vector<std::string> wal_scan_seeds() {
  std::vector<std::string> seeds;
  for (const bool reused : {false, true}) {
    FaultyDisk disk(3);
    const FaultVfs vfs(disk);
    Connection connection("a.db", vfs.name());
    connection.execute("PRAGMA page_size = 512");
    apply_pragmas(connection, kPageBytes);
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    for (int i = 0; reused && i < 6; ++i) connection.execute("INSERT INTO t (b) VALUES (randomblob(300))");
    connection.checkpoint(reused ? Checkpoint::kPassive : Checkpoint::kTruncate);
    for (int i = 0; i < 3; ++i) connection.execute("INSERT INTO t (b) VALUES (1)");
    std::string wal = disk.contents("a.db-wal");
    seeds.push_back(wal);
    seeds.push_back(wal.substr(0, wal.size() - 100));
    wal[kWalHeaderBytes + 50] = static_cast<char>(wal[kWalHeaderBytes + 50] ^ 1);
    seeds.push_back(std::move(wal));
  }
  return seeds;
}

}  // namespace holdfast::fuzz
