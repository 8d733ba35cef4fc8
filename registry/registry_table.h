#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/changed_rows.h"
#include "base/ids.h"
#include "base/result.h"

/// Which instances of which services there are. An instance lives as long as its lease.
namespace holdfast::registry {

/// Stored and sent: DO NOT CHANGE THE NUMBERS.
enum class Health : std::uint8_t { kPassing = 0, kWarning = 1, kCritical = 2 };

struct Instance {
  std::string id;       ///< unique within its service
  std::string address;  ///< host name or IP address
  std::uint16_t port = 0;
  std::vector<std::string> tags;  ///< sorted, no duplicates
  std::map<std::string, std::string> metadata;
  std::uint32_t weight = 1;
  Health health = Health::kPassing;
  bool maintenance = false;
  LeaseId lease;
  Revision mod_revision;

  friend bool operator==(const Instance&, const Instance&) = default;
};

/// (service, instance id): the registry's order.
using InstanceKey = std::pair<std::string, std::string>;

/// One change as a watcher sees it; a removal carries only the id and the revision.
struct Change {
  bool removed = false;
  std::string service;
  Instance instance;
  friend bool operator==(const Change&, const Change&) = default;
};

struct Filter {
  std::vector<std::string> tags;                ///< all of them
  std::map<std::string, std::string> metadata;  ///< all of them
  bool healthy_only = false;                    ///< passing, and not in maintenance
  bool matches(const Instance& instance) const;
};

class RegistryTable {
 public:
  using Table = std::map<InstanceKey, Instance, std::less<>>;

  /// Registers, or replaces the instance of that id, also from another lease (a restarted process takes its
  /// place). Tags are sorted, and said once. Requires: the lease is live.
  void put(std::string_view service, Instance instance, Revision at, std::vector<Change>& changes);
  /// Errors: kServiceNotFound, kInstanceNotFound; kNotHolder if `lease` is given and is not the instance's: a
  /// process that was replaced does not remove its successor.
  Result<void> remove(std::string_view service, std::string_view id, LeaseId lease, Revision at,
                      std::vector<Change>& changes);
  /// Removes at most `most` instances of the lease. Returns: how many it removed.
  std::size_t end_lease(LeaseId lease, std::size_t most, Revision at, std::vector<Change>& changes);

  const Table& all() const { return instances_; }
  const Instance* find(std::string_view service, std::string_view id) const;
  /// Instances of the service that match, in order of id; none if the service is unknown.
  std::vector<const Instance*> resolve(std::string_view service, const Filter& filter) const;
  /// Every service with its number of instances, in order of name.
  const std::map<std::string, std::size_t, std::less<>>& services() const { return services_; }
  /// Instances of the lease, in order; null if none, never empty.
  const std::set<InstanceKey>* attached_to(LeaseId lease) const;
  const std::map<LeaseId, std::set<InstanceKey>>& by_lease() const { return by_lease_; }

  // The image: see base/changed_rows.h.
  void load(std::string service, Instance instance);
  ChangedRows<InstanceKey, Instance>& changes() { return changes_; }
  std::size_t pending() const { return changes_.pending(); }

 private:
  Table::iterator erase(Table::iterator instance, Revision at, std::vector<Change>& changes);
  void attach(LeaseId lease, const InstanceKey& key);
  void detach(LeaseId lease, const InstanceKey& key);

  Table instances_;
  std::map<std::string, std::size_t, std::less<>> services_;
  std::map<LeaseId, std::set<InstanceKey>> by_lease_;
  ChangedRows<InstanceKey, Instance> changes_;
};

}  // namespace holdfast::registry
