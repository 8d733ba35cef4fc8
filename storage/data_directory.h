#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "storage/database.h"

namespace holdfast::storage {

/// A member's directory, locked for this process as long as the object lives:
///
///     lock        held by the process that uses the directory; its process id, for people
///     log.db      Raft log, term and vote, identity       (+ log.db-wal)
///     state.db    image of the replicated state           (+ state.db-wal)
class DataDirectory {
 public:
  /// Creates the directory (and its parents) if it is not there, durably, and takes the lock.
  /// Errors: kStorage: it cannot be created, read or written, or another process uses it.
  static Result<std::unique_ptr<DataDirectory>> open(const std::filesystem::path& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  Location log() const { return {(path_ / "log.db").string(), ""}; }
  Location image() const { return {(path_ / "state.db").string(), ""}; }

 private:
  DataDirectory(std::filesystem::path path, int lock);

  const std::filesystem::path path_;
  const int lock_;  // a file descriptor; closing it gives the lock back
};

}  // namespace holdfast::storage
