#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/ids.h"
#include "raft/types.h"

/// How much of the log stays below the newest durable image. What another member lacks is kept for it, so
/// that a short absence costs no snapshot; but only up to a bound, so that one that is gone for ever costs no
/// more than that. Ref: docs/decisions/0018-compaction-with-snapshots.md
///
///      compacted          kept for those that lag           always kept
///     ----------------|------------------------------|------------------------| newest image | ... | last
///                     `- at most bytes_kept ---------+- entries_kept ---------'
namespace holdfast::node {

class LogRetention {
 public:
  struct Options {
    std::uint64_t entries_kept = 1000;
    std::size_t bytes_kept = 64 << 20;
  };
  /// What an entry is counted for besides its payload.
  static constexpr std::size_t kEntryBytes = 96;

  LogRetention(Options options, Index image) : options_(options), marks_{{image, 0}} {}

  void applied(const raft::Entry& entry) { bytes_ += entry.payload.size() + kEntryBytes; }
  /// A new image is durable.
  void image_at(Index image);
  /// The image came from another member: what was below is gone.
  void start_at(Index image);

  /// Through which index the log may be compacted. `held_by_all`: every member has the log up to here.
  /// `served`: an image there is being sent to somebody, who goes on from it.
  Index through(Index held_by_all, std::optional<Index> served) const;

 private:
  struct Mark {
    Index image;
    std::uint64_t bytes = 0;  ///< applied up to there, since the process began
  };
  bool too_far(const Mark& mark) const { return marks_.back().bytes - mark.bytes > options_.bytes_kept; }

  const Options options_;
  std::uint64_t bytes_ = 0;
  // Images, the newest last. The first is the highest from which on more than bytes_kept would be kept, or
  // the one that this process began with: nothing is known of what lies below that.
  std::deque<Mark> marks_;
};

}  // namespace holdfast::node
