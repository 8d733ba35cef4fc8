#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "config/config_table.h"
#include "node/bounds.h"
#include "node/ports/image_store.h"
#include "node/ports/loop.h"
#include "registry/registry_table.h"
#include "state/event.h"
#include "state/history.h"
#include "state/machine.h"

/// Brings changes to watchers. A watcher pulls: the hub tells it that there is something (ready()), the
/// watcher takes a batch when it can send one. What it does not take waits in a bounded queue; over the bound
/// the hub forgets the queue and reads history from the watcher's place later. So a slow watcher costs no
/// memory and slows nobody.
namespace holdfast::node {

using WatchId = std::uint64_t;

/// Watches of one place are told next to each other: those of a connection, so that what they are told can
/// leave while others are still being told.
using WatchPlace = std::uint32_t;

/// Told, on a later turn of the loop, that take() has something; not told again until take() was called.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  virtual void ready() = 0;
};

struct ConfigBatch {
  std::vector<config::Change> changes;  ///< in order; a revision is never split over two batches
  Revision next;                        ///< where to resume: everything below was delivered or does not match
  std::optional<Error> ended;           ///< the watch is over: kCompacted, kCorrupt
};

struct RegistryBatch {
  std::vector<registry::Change> changes;  ///< the newest state of each instance that changed
  Revision revision;
  bool complete = false;  ///< with this batch, every instance was told at least once
};

class WatchHub {
 public:
  WatchHub(const state::Machine& machine, ImageStore& image_store, Loop& loop, const Bounds& bounds = {});
  ~WatchHub();

  /// Another one than all before; none is zero.
  WatchPlace new_place();

  /// Changes of the range with revision >= `from`, exactly once, in order; `from` may be in the future. Zero
  /// is as one: from the beginning.
  /// `sink` must outlive close(). An unavailable start shows as `ended` in the first batch.
  WatchId open_config(config::KeyRange range, Revision from, WatchSink& sink, WatchPlace place = 0);
  /// At most about `most_bytes`; may be empty, with `next` further on than before: work is done in bounded
  /// steps.
  ConfigBatch take_config(WatchId watch, std::size_t most_bytes);

  /// The instances of a service (empty: of all) as they are, then as they change.
  WatchId open_registry(std::string service, WatchSink& sink);
  RegistryBatch take_registry(WatchId watch, std::size_t most_changes);

  void close(WatchId watch);
  void count(Held& held) const;

  // --- From the node ---
  /// After a command was applied: its events, all at one revision.
  void on_events(const std::vector<state::Event>& events);
  /// The machine is about to become `next`, which is further on: between the two lie changes that on_events()
  /// will not bring. Then replaced() must follow, with the revision that the machine had.
  void replacing(const state::Machine& next);
  void replaced(Revision before);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::node
