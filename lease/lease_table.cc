#include "lease/lease_table.h"

namespace holdfast::lease {

void LeaseTable::grant(LeaseId id, milliseconds ttl) {
  changes_.touch(id, nullptr);
  const bool inserted = leases_.emplace(id, Lease{id, ttl, false}).second;
  INVARIANT(inserted, "two leases with one id would share their attachments");
}

bool LeaseTable::is_live(LeaseId id) const {
  const auto found = leases_.find(id);
  return found != leases_.end() && !found->second.ending;
}

bool LeaseTable::end(LeaseId id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return false;
  if (found->second.ending) return true;
  changes_.touch(id, &found->second);
  found->second.ending = true;
  ending_.insert(id);
  return true;
}

void LeaseTable::remove(LeaseId id) {
  const auto found = leases_.find(id);
  INVARIANT(found != leases_.end() && found->second.ending,
            "a live lease would vanish under what is attached to it");
  changes_.touch_erased(id, found->second);
  leases_.erase(found);
  ending_.erase(id);
}

const Lease* LeaseTable::find(LeaseId id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second;
}

void LeaseTable::load(Lease lease) {
  if (lease.ending) ending_.insert(lease.id);
  leases_.insert_or_assign(lease.id, lease);
}

}  // namespace holdfast::lease
