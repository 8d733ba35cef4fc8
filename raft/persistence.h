#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/ids.h"
#include "base/time.h"

namespace holdfast::raft {

/// Keeps account of what was handed out to be written and what of it is durable.
///
/// The one rule: `durable()` is the end of the longest prefix of the log *in memory* that the store is known
/// to have. So when entries are replaced while older writes are still under way, those writes count only up
/// to the place where the log was cut: their completion says nothing about what stands behind it now.
class Persistence {
 public:
  /// `stored` is the last entry found on disk at the start.
  explicit Persistence(Index stored) : durable_(stored), handed_out_(stored) {}

  /// A write was handed out that ends the stored log at `last`. Returns: its sequence.
  std::uint64_t begin(Index last, bool hard_state, Instant now);
  /// The write `sequence` and all before it are durable. Requires: it was handed out.
  void persisted(std::uint64_t sequence);
  /// The log in memory was cut behind `last`.
  void truncated(Index last);
  /// An image took the log's place, durably, and the log begins behind `index`. What is still under way was
  /// written to the log that is gone.
  void installed(Index index);

  Index durable() const { return durable_; }
  /// Entries behind this one have not been handed out yet.
  Index handed_out() const { return handed_out_; }
  /// When the oldest write was handed out that is still under way.
  std::optional<Instant> waiting_since() const;
  bool hard_state_durable() const { return hard_state_sequence_ <= durable_sequence_; }

 private:
  struct Write {
    std::uint64_t sequence = 0;
    Index last;
    Instant since;
  };

  std::deque<Write> under_way_;
  Index durable_;
  Index handed_out_;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t durable_sequence_ = 0;
  std::uint64_t hard_state_sequence_ = 0;  // the latest write that carried one
};

}  // namespace holdfast::raft
