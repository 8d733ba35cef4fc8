#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "node/ports/space.h"
#include "storage/failure.h"
#include "storage/files.h"

namespace holdfast::storage {

struct SpaceOptions {
  Files* files = nullptr;
  std::string directory;
  std::uint64_t threshold_bytes = 64 << 20;  ///< less than this is low; at most a tenth of the file system
  /// Kept aside for a disk that is full before anybody looked; at most a fortieth of the file system.
  std::uint64_t ballast_bytes = 4 << 20;
  Poster post;  ///< to the loop
};

/// Watches the free space of the data directory, and holds some of it back.
///
///     enough --below the threshold, or a write met a full disk--> low --a quarter above it--> enough
///
/// The ballast is a file that holds its bytes and nothing else. A member that meets a full disk gives it up,
/// so that what it must still write fits: its step down, its votes, what is under way. When there is enough
/// again the ballast is laid in again. Thread: the log's, unless said otherwise.
class SpaceWatch {
 public:
  /// Takes over the ballast of an earlier process, or gives it up if there is no room to open the databases.
  /// Errors: kStorage.
  static Result<std::unique_ptr<SpaceWatch>> open(SpaceOptions options);

  /// `changed` is told on the loop each time Space::low changes. Requires: the log's thread does not run yet.
  void tell(std::function<void(const node::Space&)> changed) { changed_ = std::move(changed); }

  /// Looks at the disk and tells what has changed. Throws: StorageFailure, like disk_is_full().
  void look();
  /// A write met a full disk. Returns: true if there was ballast to give up, so that it is worth trying
  /// again.
  bool disk_is_full();
  /// The same, from another thread: the next look() does it. Thread: any.
  void report_full() { reported_full_.store(true, std::memory_order_relaxed); }

 private:
  explicit SpaceWatch(SpaceOptions options);
  bool give_up_ballast();
  void set(bool low, std::uint64_t free_bytes);
  void lay_in_ballast(std::uint64_t free_bytes);

  SpaceOptions options_;  // constant after construction
  const std::string ballast_;
  std::function<void(const node::Space&)> changed_;
  bool low_ = false;
  bool has_ballast_ = false;
  std::atomic<bool> reported_full_ = false;
};

}  // namespace holdfast::storage
