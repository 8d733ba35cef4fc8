#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "storage/database.h"
#include "storage/file_names.h"
#include "storage/files.h"

namespace holdfast::storage {

/// A member's directory, locked for this process as long as the object lives:
///
///     lock                 held by the process that uses the directory; its process id, for people
///     log.db               Raft log, term and vote, identity; names the image     (+ log.db-wal)
///     state.db             image of the replicated state                          (+ state.db-wal)
///     image-<index>.db     the same, once it was received from another member     (+ -wal)
///     snapshot-<index>.db  a copy of the image that others read
///     receiving-<index>.db an image on its way in
///     ballast              space held back for a full disk
class DataDirectory {
 public:
  /// Creates the directory (and its parents) if it is not there, durably, and takes the lock.
  /// Errors: kStorage: it cannot be created, read or written, or another process uses it.
  static Result<std::unique_ptr<DataDirectory>> open(const std::filesystem::path& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  Location log() { return {(path_ / kLogFile).string(), "", &files_}; }
  /// `image_file` is what the log names: LogContents::image_file.
  Location image(const std::string& image_file) {
    return {(path_ / (image_file.empty() ? kFirstImageFile : image_file)).string(), "", &files_};
  }
  Files& files() { return files_; }
  /// Removes what an earlier process has left behind of snapshots and images. Errors: kStorage.
  Result<void> remove_strays(const std::string& image_file);

 private:
  DataDirectory(std::filesystem::path path, int lock);

  const std::filesystem::path path_;
  SystemFiles files_;
  const int lock_;  // a file descriptor; closing it gives the lock back
};

}  // namespace holdfast::storage
