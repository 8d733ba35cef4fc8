#include "lock/lock_table.h"

// What is read from the table, and how it goes to the image and back.
namespace holdfast::lock {

const Lock* LockTable::find(std::string_view lock) const {
  const auto found = locks_.find(lock);
  return found == locks_.end() ? nullptr : &found->second;
}

const LockTable::Claims* LockTable::attached_to(LeaseId lease) const {
  const auto found = by_lease_.find(lease);
  return found == by_lease_.end() ? nullptr : &found->second;
}

std::optional<ClusterTime> LockTable::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return std::get<0>(*deadlines_.begin());
}

std::vector<OverdueWaiter> LockTable::overdue(ClusterTime now, std::size_t most) const {
  std::vector<OverdueWaiter> found;
  for (const auto& [deadline, name, ticket] : deadlines_) {
    if (deadline > now || found.size() >= most) break;
    const Lock* lock = find(name);
    const Waiter* waiter = lock ? lock->queue.find(ticket) : nullptr;
    INVARIANT(waiter, "a deadline outlived its waiter");
    found.push_back(OverdueWaiter{name, waiter->lease, ticket});
  }
  return found;
}

void LockTable::load_holder(std::string lock, Holder holder) {
  by_lease_[holder.lease].insert_or_assign(lock, Claim{true, holder.token.value()});
  locks_[std::move(lock)].holders.insert_or_assign(holder.token, std::move(holder));
}

void LockTable::load_waiter(std::string lock, Waiter waiter) {
  by_lease_[waiter.lease].insert_or_assign(lock, Claim{false, waiter.ticket});
  if (waiter.deadline) deadlines_.emplace(*waiter.deadline, lock, waiter.ticket);
  locks_[std::move(lock)].queue.insert(std::move(waiter));
}

void LockTable::freeze() {
  holder_changes_.freeze();
  waiter_changes_.freeze();
}

std::vector<ChangedRows<ClaimKey, Holder>::Taken> LockTable::take_holders(std::size_t most) {
  const auto find_row = [this](const ClaimKey& key) -> const Holder* {
    const Lock* lock = find(key.first);
    if (!lock) return nullptr;
    const auto holder = lock->holders.find(Token(key.second));
    return holder == lock->holders.end() ? nullptr : &holder->second;
  };
  return holder_changes_.take_found(find_row, most);
}

std::vector<ChangedRows<ClaimKey, Waiter>::Taken> LockTable::take_waiters(std::size_t most) {
  const auto find_row = [this](const ClaimKey& key) -> const Waiter* {
    const Lock* lock = find(key.first);
    return lock ? lock->queue.find(key.second) : nullptr;
  };
  return waiter_changes_.take_found(find_row, most);
}

}  // namespace holdfast::lock
