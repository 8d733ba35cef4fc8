#pragma once

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
/// Without shared memory: only a connection in exclusive mode can have a write-ahead log over it.
class GatheringVfs {
 public:
  /// Over the VFS of that name; empty: SQLite's default. Throws: StorageFailure if there is none.
  explicit GatheringVfs(const std::string& below);
  /// Requires: no connection over it is open.
  ~GatheringVfs();
  GatheringVfs(const GatheringVfs&) = delete;
  GatheringVfs& operator=(const GatheringVfs&) = delete;

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace holdfast::storage
