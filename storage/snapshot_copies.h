#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/callback.h"
#include "node/ports/snapshot_store.h"
#include "storage/file_digest.h"
#include "storage/files.h"
#include "storage/image_database.h"

namespace holdfast::storage {

/// Copies of the image for other members to read.
///
///     none --want--> wanted --between two images--> copying, slice by slice --> made --release--> gone
///
/// To begin with, everything that is committed is moved into the database file. From then on SQLite writes to
/// its write-ahead log only until the next checkpoint; as long as there is none, the file stands still at the
/// index where it stood, whatever images are committed meanwhile, and its bytes can be copied at leisure.
///
/// Copies need not survive: none is synced, and what a crash leaves is removed at the next start. Thread: the
/// image's. Any call may throw StorageFailure.
class SnapshotCopies {
 public:
  using Made = Callback<void(Result<node::SnapshotFile>)>;

  SnapshotCopies(Files& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  /// Calls `made` when there is a copy of the newest image. Requires: not wanted() already.
  void want(Made made);
  bool wanted() const { return static_cast<bool>(made_); }
  /// No checkpoint may run: it would write to the file that is being copied.
  bool holds_file() const { return copying_.has_value(); }
  /// Does one slice of what is wanted. Returns: true if it can go on at once.
  bool advance(ImageDatabase& image);
  /// The image is about to be replaced.
  void abandon();

  /// As node::SnapshotStore::read().
  Result<Blob> read(Index index, std::uint64_t offset, std::size_t most_bytes);
  void release(Index index);

 private:
  struct Copy {
    node::SnapshotFile facts;
    std::unique_ptr<File> file;
  };
  void begin(ImageDatabase& image);
  void copy_slice(ImageDatabase& image);
  void finish(Result<node::SnapshotFile> result);

  Files& files_;
  const std::string directory_;
  Made made_;
  std::optional<Copy> copying_;
  std::uint64_t copied_ = 0;  // bytes
  FileDigest digest_;
  std::map<Index, Copy> copies_;
};

}  // namespace holdfast::storage
