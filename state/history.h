#pragma once

#include <cstddef>
#include <deque>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"
#include "base/result.h"
#include "state/event.h"

/// Every change of the configuration, in order of revision. The newest part is in memory, at least down to
/// the last durable image; the rest is in the image's history table, packed. Together they are without a gap.
namespace holdfast::state {

/// A few hundred changes in one durable row. A revision's changes are never split over two packs.
struct HistoryPack {
  Revision first;  ///< of its first change
  Revision last;   ///< of its last change
  std::vector<config::Change> changes;
};

/// Returns: schema/snapshot.capnp, HistoryPack. Thread: any.
Blob encode_history(const std::vector<config::Change>& changes);
/// Errors: kCorrupt.
Result<std::vector<config::Change>> decode_history(const Blob& pack);

class History {
 public:
  void append(config::Change change);
  /// Changes with revision >= `from` that are in memory, in order. Requires: from >= first_in_memory().
  /// Returns: an iterator range, valid until the next append or drop.
  std::pair<std::deque<config::Change>::const_iterator, std::deque<config::Change>::const_iterator> since(
      Revision from) const;
  /// Every change at or above this revision is in memory; what is below must be read from the image.
  Revision first_in_memory() const { return first_in_memory_; }
  /// Starts an empty history whose changes below `first` are all in the image.
  void start_at(Revision first);

  /// What an image has to write: everything appended since the last freeze().
  void freeze();
  /// Next packs of the frozen part, at most `most_packs`; empty when all were taken.
  std::vector<HistoryPack> take(std::size_t most_packs);
  /// The image with the frozen part is durable: memory is to keep about the newest `keep_bytes` of what is
  /// durable. The rest is dropped in small steps, by trim() and in later appends, so that no call is long.
  void image_durable(std::size_t keep_bytes);
  /// Drops some of it. Returns: true if there is more.
  bool trim();

 private:
  void drop(std::size_t most);
  bool keeps_too_much() const { return durable_end_ > 0 && durable_bytes_ > keep_bytes_; }

  std::deque<config::Change> changes_;
  Revision first_in_memory_{1};
  // Positions in changes_: [0, durable_end_) is in a durable image, [frozen_begin_, frozen_end_) is still to
  // be taken for the next one, and what is behind frozen_end_ belongs to the one after it.
  std::size_t durable_end_ = 0;
  std::size_t frozen_begin_ = 0;
  std::size_t frozen_end_ = 0;
  // Sizes of [0, durable_end_), [durable_end_, frozen_end_) and of the rest.
  std::size_t durable_bytes_ = 0;
  std::size_t frozen_bytes_ = 0;
  std::size_t fresh_bytes_ = 0;
  std::size_t keep_bytes_ = 0;
};

}  // namespace holdfast::state
