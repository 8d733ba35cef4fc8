#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"
#include "base/result.h"
#include "config/config_table.h"

/// Every change of the configuration, in order of revision. The newest part is in memory, at least down to
/// the last durable image; the rest is in the image's history table, packed. Together they are without a gap.
namespace holdfast::state {

/// Owners: the history and every watcher's queue.
using SharedChange = std::shared_ptr<const config::Change>;

/// A few hundred changes in one durable row. A revision's changes are never split over two packs.
struct HistoryPack {
  Revision first;  ///< of its first change
  Revision last;   ///< of its last change
  Blob changes;    ///< schema/snapshot.capnp, HistoryPack
};

Blob encode_history(const std::vector<SharedChange>& changes);
/// Errors: kCorrupt.
Result<std::vector<SharedChange>> decode_history(const Blob& pack);

class History {
 public:
  void append(SharedChange change);
  /// Changes with revision >= `from` that are in memory, in order. Requires: from >= first_in_memory().
  /// Returns: an iterator range, valid until the next append or drop.
  std::pair<std::deque<SharedChange>::const_iterator, std::deque<SharedChange>::const_iterator> since(
      Revision from) const;
  /// Every change at or above this revision is in memory; what is below must be read from the image.
  Revision first_in_memory() const { return first_in_memory_; }
  /// Starts an empty history whose changes below `first` are all in the image.
  void start_at(Revision first);

  /// What an image has to write: everything appended since the last freeze().
  void freeze();
  /// Next pack of the frozen part, at most about `most_bytes`; empty when all were taken.
  std::vector<HistoryPack> take(std::size_t most_packs);
  /// The image with the frozen part is durable: memory may keep only the newest `keep_bytes` of what is
  /// durable.
  void image_durable(std::size_t keep_bytes);

 private:
  std::deque<SharedChange> changes_;
  Revision first_in_memory_{1};
  std::size_t bytes_ = 0;
  std::size_t frozen_begin_ = 0;  // positions in changes_
  std::size_t frozen_end_ = 0;
  std::size_t durable_end_ = 0;
};

}  // namespace holdfast::state
