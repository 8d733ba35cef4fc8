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
/// since it last took, so a slow one costs at most one key for each instance.
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

 private:
  struct Watcher {
    std::string service;  ///< empty: all
    std::map<registry::InstanceKey, Revision> dirty;
    bool complete = false;
  };

  void mark(const registry::InstanceKey& instance, Revision revision);

  const state::Machine& machine_;
  Notify notify_;
  std::unordered_map<WatchId, Watcher> watchers_;
  std::map<std::string, std::set<WatchId>, std::less<>> by_service_;
};

}  // namespace holdfast::node
