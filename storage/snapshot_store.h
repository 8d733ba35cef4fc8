#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "node/ports/snapshot_store.h"
#include "storage/image_store.h"
#include "storage/log_store.h"

namespace holdfast::storage {

/// Sends and receives images: the loop's side of SnapshotCopies and IncomingSnapshot, which work on the
/// image's thread. An installation goes through both threads:
///
///     image: check, load, name the file --> log: one transaction that names it (the commit point)
///         --> image: go on in the new file, remove the old one --> done
///
/// What a crash leaves at any moment is one image that the log names, and strays. Thread: the loop's.
/// Requires: both stores outlive it.
class SqliteSnapshotStore final : public node::SnapshotStore {
 public:
  SqliteSnapshotStore(SqliteImageStore& images, SqliteLogStore& log, Poster post);
  ~SqliteSnapshotStore() override;

  void make(Callback<void(Result<node::SnapshotFile>)> done) override;
  void read(Index index, std::uint64_t offset, std::size_t most_bytes,
            Callback<void(Result<Blob>)> done) override;
  void release(Index index) override;

  void begin(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) override;
  void write(std::uint64_t offset, Blob bytes, Callback<void(Result<std::uint64_t>)> next_offset) override;
  void install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
               Callback<void(Result<void>)> done) override;

 private:
  using Installed = Callback<void(Result<void>)>;
  struct Loopside;

  // Owners: this object, and tasks on their way to the loop.
  std::shared_ptr<Loopside> loopside_;
};

}  // namespace holdfast::storage
