#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "base/ids.h"
#include "node/watch_hub.h"
#include "registry/registry_table.h"
#include "state/machine.h"

namespace holdfast::node {

/// Watchers of services. A watcher is told states, not steps: this remembers only which instances changed
/// since it last took, and forgets those that came and went meanwhile. So a slow one costs at most one key
/// for each instance that there is or that it was told of.
class RegistryWatchers {
 public:
  using Notify = std::function<void(WatchId)>;

  RegistryWatchers(const state::Machine& machine, Notify notify);

  void open(WatchId id, std::string service);
  bool close(WatchId id);
  /// Requires: `id` is open.
  RegistryBatch take(WatchId id, std::size_t most_changes);
  void on_change(const registry::Change& change);
  /// As WatchHub::replacing: marks what differs.
  void replacing(const state::Machine& next);
  /// What the watcher has still to take. Requires: `id` is open.
  std::size_t waiting(WatchId id) const { return watchers_.at(id).dirty.size(); }

 private:
  struct Dirty {
    Revision revision;
    bool untold = false;  ///< the watcher has not heard of it: it need not hear of its end either
  };
  struct Watcher {
    std::string service;  ///< empty: all
    std::map<registry::InstanceKey, Dirty> dirty;
    bool complete = false;
  };

  /// The watchers of a service (of all, under the empty name) and the instances there are.
  struct Watched {
    std::set<WatchId> watchers;
    std::set<registry::InstanceKey> present;
  };
  void mark(const registry::InstanceKey& instance, Revision revision, bool removed);

  const state::Machine& machine_;
  Notify notify_;
  std::unordered_map<WatchId, Watcher> watchers_;
  std::map<std::string, Watched, std::less<>> by_service_;  // only watched ones
};

}  // namespace holdfast::node
