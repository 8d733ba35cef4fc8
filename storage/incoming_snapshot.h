#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rows.h"
#include "node/ports/snapshot_store.h"
#include "storage/files.h"
#include "storage/image_database.h"

namespace holdfast::storage {

/// An image that another member sends.
///
///     none --begin--> receiving --all bytes, prepare--> ready under its final name --(the log names it)-->
///     taken
///
/// Nothing of it counts before the log database names the file; until then a crash leaves a stray, which the
/// next start removes. Thread: the image's. Any call may throw StorageFailure.
class IncomingSnapshot {
 public:
  /// `vfs`: as in Location. `data_id`: of this directory, which the image is made part of.
  IncomingSnapshot(Files& files, std::string directory, std::string vfs, std::vector<TableDescription> tables,
                   std::string data_id);

  /// As in node::SnapshotStore.
  Result<std::uint64_t> begin(const node::SnapshotFile& announced);
  Result<std::uint64_t> write(std::uint64_t offset, const Blob& bytes);
  /// Checks what was received, gives its rows to `into` and makes it durable under the name of an image.
  /// Durability: file and name survive power loss when this returns.
  /// Errors: as node::SnapshotStore::install(); the file is gone then.
  Result<std::unique_ptr<ImageDatabase>> prepare(const raft::Snapshot& at, node::ImageLoader& into);
  /// The process is to end: a large image takes longer to prepare than that may take. What is being prepared
  /// fails soon, as kStopping. Thread: any.
  void break_off() { broken_off_.store(true, std::memory_order_relaxed); }

 private:
  struct Receiving {
    node::SnapshotFile announced;
    std::unique_ptr<File> file;
    std::uint64_t received = 0;  // bytes, from the first on
  };
  std::string path(const std::string& name) const { return path_in(directory_, name); }
  bool broken_off() const { return broken_off_.load(std::memory_order_relaxed); }
  void discard();
  Result<void> check_bytes();
  void name_as_image();
  Result<std::unique_ptr<ImageDatabase>> open(const raft::Snapshot& at, node::ImageLoader& into);

  Files& files_;
  const std::string directory_;
  const std::string vfs_;
  const std::vector<TableDescription> tables_;
  const std::string data_id_;
  std::optional<Receiving> receiving_;
  std::atomic<bool> broken_off_ = false;
};

}  // namespace holdfast::storage
