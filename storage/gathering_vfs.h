#pragma once

#include <cstddef>
#include <memory>
#include <string>

struct sqlite3_vfs;

namespace holdfast::storage {

/// SQLite's access to files, with writes that lie behind one another put together. SQLite writes a frame of
/// its write-ahead log in two calls, and a transaction of many pages in twice as many.
///
/// Written is what was gathered before the file is read, synced, cut, measured, unlocked or closed, and when
/// there is no more room. Between two syncs the order of writes was never promised, so that a crash leaves
/// nothing that it could not leave before. A write that fails late fails the call that needed it, a sync
/// above all, with the write's own error; if SQLite may pass over that, the next read, write or sync as well.
/// What was gathered is then dropped and never tried again.
///
/// A file can be synced early, whenever so much of it was written since its last sync that the next one would
/// keep the disk from whoever else waits for it. Ref: docs/decisions/0034-images-out-of-the-way.md
///
/// Without shared memory: only a connection in exclusive mode can have a write-ahead log over it.
class GatheringVfs {
 public:
  /// Over the VFS of that name; empty: SQLite's default. A sync has at most about `most_unsynced_bytes` to
  /// write; zero: any number. Throws: StorageFailure if there is no such VFS.
  explicit GatheringVfs(const std::string& below, std::size_t most_unsynced_bytes = 0);
  /// Requires: no connection over it is open.
  ~GatheringVfs();
  GatheringVfs(const GatheringVfs&) = delete;
  GatheringVfs& operator=(const GatheringVfs&) = delete;

  const std::string& name() const { return name_; }

  struct Below;

 private:
  std::string name_;
  std::unique_ptr<Below> below_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace holdfast::storage
