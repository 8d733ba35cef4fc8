#include "node/registry_watchers.h"

#include <utility>

namespace holdfast::node {

RegistryWatchers::RegistryWatchers(const state::Machine& machine, Notify notify)
    : machine_(machine), notify_(std::move(notify)) {}

void RegistryWatchers::open(WatchId id, std::string service) {
  Watched& watched = by_service_[service];
  watched.watchers.insert(id);
  Watcher& watcher = watchers_[id];
  const auto& all = machine_.registry().all();
  auto i = service.empty() ? all.begin() : all.lower_bound(registry::InstanceKey(service, ""));
  for (; i != all.end() && (service.empty() || i->first.first == service); ++i) {
    watcher.dirty.emplace_hint(watcher.dirty.end(), i->first, Dirty{i->second.mod_revision, true});
    watched.present.emplace_hint(watched.present.end(), i->first);
  }
  watcher.service = std::move(service);
  notify_(id);  // also if there are none: to say so
}

bool RegistryWatchers::close(WatchId id) {
  auto found = watchers_.find(id);
  if (found == watchers_.end()) return false;
  auto same_service = by_service_.find(found->second.service);
  same_service->second.watchers.erase(id);
  if (same_service->second.watchers.empty()) by_service_.erase(same_service);
  watchers_.erase(found);
  return true;
}

RegistryBatch RegistryWatchers::take(WatchId id, std::size_t most_changes) {
  Watcher& watcher = watchers_.at(id);
  RegistryBatch batch;
  while (!watcher.dirty.empty() && batch.changes.size() < most_changes) {
    auto node = watcher.dirty.extract(watcher.dirty.begin());
    registry::Change change;
    change.service = node.key().first;
    if (const registry::Instance* instance = machine_.registry().find(change.service, node.key().second)) {
      change.instance = *instance;
    } else {
      change.removed = true;
      change.instance.id = node.key().second;
      change.instance.mod_revision = node.mapped().revision;
    }
    batch.changes.push_back(std::move(change));
  }
  batch.revision = machine_.revision();
  watcher.complete = watcher.complete || watcher.dirty.empty();
  batch.complete = watcher.complete;
  if (!watcher.dirty.empty()) notify_(id);
  return batch;
}

void RegistryWatchers::on_change(const registry::Change& change) {
  mark({change.service, change.instance.id}, change.instance.mod_revision, change.removed);
}

void RegistryWatchers::replacing(const state::Machine& next) {
  if (watchers_.empty()) return;
  const auto& before = machine_.registry().all();
  const auto& after = next.registry().all();
  for (const auto& [key, instance] : before) {
    // When it went is not known any more; it was not later than this.
    if (after.find(key) == after.end()) mark(key, next.revision(), true);
  }
  for (const auto& [key, instance] : after) {
    auto known = before.find(key);
    if (known == before.end() || known->second.mod_revision != instance.mod_revision) {
      mark(key, instance.mod_revision, false);
    }
  }
}

void RegistryWatchers::mark(const registry::InstanceKey& instance, Revision revision, bool removed) {
  auto mark_for = [&](std::string_view service) {
    const auto watched = by_service_.find(service);
    if (watched == by_service_.end()) return;
    auto& present = watched->second.present;
    const bool added = !removed && present.insert(instance).second;
    if (removed) present.erase(instance);
    for (const WatchId id : watched->second.watchers) {
      auto& all_dirty = watchers_.at(id).dirty;
      const auto dirty = all_dirty.try_emplace(instance, Dirty{{}, added}).first;
      dirty->second.revision = revision;
      if (removed && dirty->second.untold) all_dirty.erase(dirty);
      notify_(id);
    }
  };
  mark_for(instance.first);
  mark_for("");
}

}  // namespace holdfast::node
