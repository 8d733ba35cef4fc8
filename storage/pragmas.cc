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

// Before anything reads the file: then there is no shared memory and no second connection, which the
// corruption bug of this SQLite's WAL reset would need.
constexpr Pragma kExclusive = {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA locking_mode", "exclusive"};

// In this order, after the page size, which is fixed by the first write.
constexpr Pragma kPragmas[] = {
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
    // Rows of an image are written in the order of their keys, and the log at its end: neither comes back to
    // a page that it left. With 8 MiB an image of 10,000 rows cost the same.
    {"PRAGMA cache_size=-512", "PRAGMA cache_size", "-512"},
};

void set(Connection& connection, const Pragma& pragma) {
  connection.execute(pragma.set);
  const std::string effective = connection.query(pragma.read);
  if (effective != pragma.expected) {
    throw StorageFailure(Errc::kStorage, "\"" + connection.path() + "\" cannot be used safely: after \"" +
                                             pragma.set + "\" the setting is \"" + effective +
                                             "\"; use a local file system and Debian's SQLite");
  }
}

}  // namespace

void hold_exclusively(Connection& connection) { set(connection, kExclusive); }

void apply_pragmas(Connection& connection, std::size_t page_bytes) {
  hold_exclusively(connection);
  const std::string page_size = std::to_string(page_bytes);
  set(connection, {("PRAGMA page_size=" + page_size).c_str(), "PRAGMA page_size", page_size.c_str()});
  for (const Pragma& pragma : kPragmas) set(connection, pragma);
  if (HOLDFAST_CANARY(commit_without_a_sync)) connection.execute("PRAGMA synchronous=NORMAL");
  connection.watch_wal();
}

}  // namespace holdfast::storage
