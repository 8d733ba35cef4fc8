#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/blob.h"
#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/rows.h"
#include "node/ports/image_store.h"
#include "raft/types.h"

namespace holdfast::node {

/// A copy of an image, as one file.
struct SnapshotFile {
  Index index;             ///< the last entry that is in it
  std::uint64_t size = 0;  ///< bytes
  std::string digest;      ///< over all of its bytes; opaque, compared only

  friend bool operator==(const SnapshotFile&, const SnapshotFile&) = default;
};

/// Takes a received image into a fresh machine: its rows, its history from history_wanted() on, finish().
/// Thread: the store's; nobody else looks at it before install() has called back. The store lets go of it
/// last, there: what it holds takes long to free.
class ImageLoader {
 public:
  virtual ~ImageLoader() = default;
  virtual Result<void> take(std::size_t table, const Row& row) = 0;
  /// The first revision that the rows may lack. Requires: all rows were given.
  virtual Revision history_wanted() const = 0;
  virtual Result<void> take_history(const HistoryRow& row) = 0;
  /// All was given: is it a whole state? Errors: kCorrupt, like take().
  virtual Result<void> finish() = 0;
};

/// Images as files that members send each other. It works on the image store's thread in short slices, so
/// that neither the loop nor an image waits for it; completions run on the loop, in the order of the calls.
///
/// An error that comes back here has changed nothing. A write that fails for another reason than a full disk
/// ends the process (decision 8).
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;

  // --- A leader's side

  /// Copies the newest durable image. Calls while a copy is being made share it, and so do later ones until
  /// there is a newer image. The log's term and membership at the copy's index are the caller's to know: it
  /// must not compact its log beyond the image at which it called before `done` has run.
  /// Errors: kStorage (no space).
  virtual void make(Callback<void(Result<SnapshotFile>)> done) = 0;
  /// Returns: at most `most_bytes` from `offset` on; empty at the end.
  /// Errors: kStorage if there is no copy at `index` (released).
  virtual void read(Index index, std::uint64_t offset, std::size_t most_bytes,
                    Callback<void(Result<Blob>)> done) = 0;
  /// The copy at `index` is not read any more; its space is given back. Copies do not outlive the process.
  virtual void release(Index index) = 0;

  // --- A follower's side

  /// A file is about to be received. Returns: the offset from which its bytes are wanted: not zero if it is
  /// the one (all of SnapshotFile) of which a part came earlier in this process. Another one replaces it.
  /// Errors: kStorage (no space).
  virtual void begin(SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) = 0;
  /// The file's bytes at `offset`. Returns: the offset that is wanted next; bytes at any other offset than
  /// the one wanted change nothing. Errors: kStorage (no space; or nothing was begun).
  virtual void write(std::uint64_t offset, Blob bytes, Callback<void(Result<std::uint64_t>)> next_offset) = 0;
  /// The file is whole: checks its digest, gives its rows to `into`, and then, in one step that survives
  /// power loss or has not happened, makes it this member's image and `at` the base of its log. What the log
  /// holds behind `at` stays if it holds that very entry, and goes otherwise (Raft fig. 13).
  ///
  /// From there on the image store writes to the new image: an image that was under way is dropped and its
  /// `durable` may never run. Log writes that the core issued before it knows of the installation may still
  /// come; what lies below `at` is left out of them.
  /// Errors: kCorrupt (digest, format, index or rows are not what they should be: the file was discarded,
  /// send it again), kStorage (nothing whole was received), and those of `into`.
  virtual void install(raft::Snapshot at, std::shared_ptr<ImageLoader> into,
                       Callback<void(Result<void>)> done) = 0;
};

}  // namespace holdfast::node
