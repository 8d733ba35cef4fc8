#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "config/config_table.h"
#include "node/lifetime.h"
#include "node/ports/image_store.h"
#include "node/range_index.h"
#include "node/watch_hub.h"
#include "state/history.h"
#include "state/machine.h"

namespace holdfast::node {

/// Watchers of the configuration.
///
///                  caught up with the machine                    its queue grew over the bound: dropped
///     catching up ----------------------------> following       following ---------------------> catching up
///
/// One that follows is fed as commands are applied; one that catches up reads the history from its own place:
/// what is still in memory when it takes, what is older from the image, a bounded piece at a time.
class ConfigWatchers {
 public:
  /// Tells the hub that this watch has something to take.
  using Notify = std::function<void(WatchId)>;
  /// Changes looked at in one take(), so that a watcher of one key in a long history stalls nobody.
  static constexpr std::size_t kScanSlice = 2048;
  static constexpr std::size_t kImageReadBytes = 256 << 10;

  ConfigWatchers(const state::Machine& machine, ImageStore& image_store, const Bounds& bounds, Notify notify);

  void open(WatchId id, config::KeyRange range, Revision from);
  bool close(WatchId id);
  /// Requires: `id` is open.
  ConfigBatch take(WatchId id, std::size_t most_bytes);
  /// All of one revision, in order.
  void on_events(const std::vector<state::Event>& events);
  /// As WatchHub::replaced: nobody follows any more; each catches up from its own place, or ends if that was
  /// compacted.
  void replaced(Revision before);
  /// What waits for those that follow. What one reads that catches up is a bounded piece at a time.
  void count(Held& held) const;

 private:
  struct Watcher {
    config::KeyRange range;
    /// Everything below was queued or does not match.
    Revision next;
    bool following = false;
    bool reading_image = false;
    std::deque<config::Change> queue;
    std::size_t queued_bytes = 0;
    std::optional<Error> ended;
  };
  void catch_up(WatchId id, Watcher& watcher);
  void scan_memory(Watcher& watcher, std::size_t most_bytes);
  void read_image(WatchId id, Watcher& watcher);
  void image_read(WatchId id, std::uint64_t replacements, Revision covered, std::vector<HistoryRow> rows);
  void take_row(Watcher& watcher, const HistoryRow& row);
  void follow(WatchId id, Watcher& watcher);
  void fall_behind(WatchId id, Watcher& watcher);
  bool is_over_bound(const Watcher& watcher) const;
  static void enqueue(Watcher& watcher, const config::Change& change);

  const state::Machine& machine_;
  ImageStore& image_store_;
  const Bounds bounds_;
  Notify notify_;
  std::unordered_map<WatchId, Watcher> watchers_;
  RangeIndex following_;
  std::uint64_t replacements_ = 0;  // of the machine: what was asked of the history before is not to be used
  Lifetime lifetime_;
};

}  // namespace holdfast::node
