#include "lock/claim.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::lock {

void Queue::insert(Waiter waiter) {
  const Ticket ticket = waiter.ticket;
  const bool inserted = waiters_.emplace(ticket, std::move(waiter)).second;
  INVARIANT(inserted, "two waiters with one ticket have no order");
  order_.insert(place_of(ticket), ticket);  // at the end, but for an image's rows, which come in any order
}

void Queue::erase(Ticket ticket) {
  const auto place = place_of(ticket);
  INVARIANT(place != order_.end() && *place == ticket, "a waiter left a queue that it was not in");
  order_.erase(place);
  waiters_.erase(ticket);
}

const Waiter* Queue::find(Ticket ticket) const {
  const auto found = waiters_.find(ticket);
  return found == waiters_.end() ? nullptr : &found->second;
}

Waiter* Queue::find(Ticket ticket) {
  const auto found = waiters_.find(ticket);
  return found == waiters_.end() ? nullptr : &found->second;
}

std::size_t Queue::position(Ticket ticket) const {
  const auto place = place_of(ticket);
  INVARIANT(place != order_.end() && *place == ticket, "who does not wait has no position");
  return static_cast<std::size_t>(place - order_.begin()) + 1;
}

std::deque<Ticket>::const_iterator Queue::place_of(Ticket ticket) const {
  if (order_.empty() || order_.back() < ticket) return order_.end();
  return std::lower_bound(order_.begin(), order_.end(), ticket);
}

}  // namespace holdfast::lock
