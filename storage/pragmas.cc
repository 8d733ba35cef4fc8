#include "storage/pragmas.h"

#include "base/canary.h"
#include "storage/failure.h"

namespace holdfast::storage {
namespace {

struct Pragma {
  const char* set;
  const char* read;
  const char* expected;
};

// In this order. Exclusive before anything reads the file: then there is no shared memory and no second
// connection, which the corruption bug of this SQLite's WAL reset would need. The page size is fixed by the
// first write.
constexpr Pragma kPragmas[] = {
    {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA locking_mode", "exclusive"},
    {"PRAGMA page_size=4096", "PRAGMA page_size", "4096"},
    {"PRAGMA auto_vacuum=NONE", "PRAGMA auto_vacuum", "0"},
    {"PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal"},
    // NORMAL would let a power cut roll back what was acknowledged.
    {"PRAGMA synchronous=FULL", "PRAGMA synchronous", "2"},
    {"PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", "0"},
    // With a memory map an I/O error would be a signal instead of a result.
    {"PRAGMA mmap_size=0", "PRAGMA mmap_size", "0"},
    // Debian's SQLite overwrites what is deleted, which would make compaction as dear as the appends.
    {"PRAGMA secure_delete=OFF", "PRAGMA secure_delete", "0"},
    {"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", "1"},
    {"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2"},
    {"PRAGMA cache_size=-8192", "PRAGMA cache_size", "-8192"},
};

}  // namespace

void apply_pragmas(Connection& connection) {
  for (const Pragma& pragma : kPragmas) {
    connection.execute(pragma.set);
    const std::string effective = connection.query(pragma.read);
    if (effective != pragma.expected) {
      throw StorageFailure(Errc::kStorage, "\"" + connection.path() + "\" cannot be used safely: after \"" +
                                               pragma.set + "\" the setting is \"" + effective +
                                               "\"; use a local file system and Debian's SQLite");
    }
  }
  if (HOLDFAST_CANARY(commit_without_a_sync)) connection.execute("PRAGMA synchronous=NORMAL");
  connection.watch_wal();
}

}  // namespace holdfast::storage
