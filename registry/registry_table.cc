#include "registry/registry_table.h"

#include <algorithm>

namespace holdfast::registry {

bool Filter::matches(const Instance& instance) const {
  if (healthy_only && (instance.health != Health::kPassing || instance.maintenance)) return false;
  for (const std::string& tag : tags) {
    if (!std::binary_search(instance.tags.begin(), instance.tags.end(), tag)) return false;
  }
  for (const auto& [key, value] : metadata) {
    const auto found = instance.metadata.find(key);
    if (found == instance.metadata.end() || found->second != value) return false;
  }
  return true;
}

void RegistryTable::put(std::string_view service, Instance instance, Revision at,
                        std::vector<Change>& changes) {
  std::sort(instance.tags.begin(), instance.tags.end());
  instance.tags.erase(std::unique(instance.tags.begin(), instance.tags.end()), instance.tags.end());
  instance.mod_revision = at;

  const InstanceKey key(service, instance.id);
  auto found = instances_.find(key);
  const bool exists = found != instances_.end();
  changes_.touch(key, exists ? &found->second : nullptr);
  if (!exists) {
    found = instances_.emplace(key, Instance{}).first;
    ++services_[key.first];
  } else {
    detach(found->second.lease, key);
  }
  attach(instance.lease, key);
  found->second = std::move(instance);
  changes.push_back(Change{false, key.first, found->second});
}

Result<void> RegistryTable::remove(std::string_view service, std::string_view id, LeaseId lease, Revision at,
                                   std::vector<Change>& changes) {
  const auto found = instances_.find(InstanceKey(service, id));
  if (found == instances_.end()) {
    if (services_.find(service) == services_.end()) {
      return fail(Errc::kServiceNotFound, "service \"" + std::string(service) + "\" has no instances");
    }
    return fail(Errc::kInstanceNotFound,
                "service \"" + std::string(service) + "\" has no instance \"" + std::string(id) + "\"");
  }
  if (lease && lease != found->second.lease) {
    return fail(Errc::kNotHolder, "instance \"" + std::string(id) + "\" of service \"" +
                                      std::string(service) +
                                      "\" was registered again under another lease and stays");
  }
  erase(found, at, changes);
  return {};
}

std::size_t RegistryTable::end_lease(LeaseId lease, std::size_t most, Revision at,
                                     std::vector<Change>& changes) {
  std::size_t count = 0;
  for (auto keys = by_lease_.find(lease); count < most && keys != by_lease_.end();
       keys = by_lease_.find(lease)) {
    const auto instance = instances_.find(*keys->second.begin());
    INVARIANT(instance != instances_.end(), "a lease lists an instance that does not exist");
    erase(instance, at, changes);
    ++count;
  }
  return count;
}

const Instance* RegistryTable::find(std::string_view service, std::string_view id) const {
  const auto found = instances_.find(InstanceKey(service, id));
  return found == instances_.end() ? nullptr : &found->second;
}

std::vector<const Instance*> RegistryTable::resolve(std::string_view service, const Filter& filter) const {
  std::vector<const Instance*> found;
  for (auto next = instances_.lower_bound(InstanceKey(service, ""));
       next != instances_.end() && next->first.first == service; ++next) {
    if (filter.matches(next->second)) found.push_back(&next->second);
  }
  return found;
}

const std::set<InstanceKey>* RegistryTable::attached_to(LeaseId lease) const {
  const auto found = by_lease_.find(lease);
  return found == by_lease_.end() ? nullptr : &found->second;
}

void RegistryTable::load(std::string service, Instance instance) {
  const InstanceKey key(std::move(service), instance.id);
  attach(instance.lease, key);
  const bool inserted = instances_.insert_or_assign(key, std::move(instance)).second;
  if (inserted) ++services_[key.first];
}

RegistryTable::Table::iterator RegistryTable::erase(Table::iterator instance, Revision at,
                                                    std::vector<Change>& changes) {
  const auto& [service, id] = instance->first;
  changes_.touch_erased(instance->first, instance->second);
  detach(instance->second.lease, instance->first);
  Change change{true, service, {}};
  change.instance.id = id;
  change.instance.mod_revision = at;
  changes.push_back(std::move(change));
  const auto count = services_.find(service);
  INVARIANT(count != services_.end() && count->second > 0, "the number of a service's instances is wrong");
  if (--count->second == 0) services_.erase(count);
  return instances_.erase(instance);
}

void RegistryTable::attach(LeaseId lease, const InstanceKey& key) { by_lease_[lease].insert(key); }

void RegistryTable::detach(LeaseId lease, const InstanceKey& key) {
  const auto keys = by_lease_.find(lease);
  INVARIANT(keys != by_lease_.end(), "an instance outlived the list of its lease");
  keys->second.erase(key);
  if (keys->second.empty()) by_lease_.erase(keys);
}

}  // namespace holdfast::registry
