#pragma once

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "lock/lock_table.h"

namespace holdfast::lock {

/// A lock table with its moment: revisions and tickets go up by one a call.
struct Locks {
  LockTable table;
  std::set<LeaseId> dead;
  LockTable::IsLive is_live = [this](LeaseId lease) { return !dead.contains(lease); };
  ClusterTime now{1000};
  std::uint64_t step = 0;
  std::vector<Change> changes;  // of the last call

  LockTable::Moment begin() {
    changes.clear();
    ++step;
    return {Revision(step), now, is_live};
  }
  Acquire wish(const std::string& lock, LeaseId lease, bool queue, std::uint64_t attempt) {
    Acquire made;
    made.lock = lock;
    made.lease = lease;
    made.owner = "owner-" + std::to_string(lease.value());
    made.queue = queue;
    made.attempt = attempt;
    return made;
  }
  Result<Acquired> acquire(const Acquire& acquire) {
    const auto moment = begin();
    return table.acquire(acquire, step, moment, changes);
  }
  Result<Acquired> queue(const std::string& lock, LeaseId lease, std::uint64_t attempt = 1) {
    return acquire(wish(lock, lease, true, attempt));
  }
  Result<Acquired> try_once(const std::string& lock, LeaseId lease, std::uint64_t attempt = 1) {
    return acquire(wish(lock, lease, false, attempt));
  }
  Result<void> release(const std::string& lock, Token token) {
    const auto moment = begin();
    return table.release(lock, token, moment, changes);
  }
  void cancel(const std::string& lock, LeaseId lease, std::uint64_t attempt = 1) {
    const auto moment = begin();
    table.cancel(lock, lease, attempt, moment, changes);
  }
  std::size_t end_lease(LeaseId lease, std::size_t most = 1000) {
    dead.insert(lease);
    const auto moment = begin();
    return table.end_lease(lease, most, moment, changes);
  }
  std::vector<ChangeType> types() const {
    std::vector<ChangeType> found;
    for (const Change& change : changes) found.push_back(change.type);
    return found;
  }
  const Holder& holder(const std::string& lock) const {
    const Lock* found = table.find(lock);
    REQUIRE(found);
    REQUIRE(found->holders.size() == 1);
    return found->holders.begin()->second;
  }
};

}  // namespace holdfast::lock
