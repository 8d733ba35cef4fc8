#include "lock/lock_table.h"

#include <limits>
#include <utility>

#include "base/canary.h"

namespace holdfast::lock {

namespace {

/// Saturates: a wait of a million years is "as long as it takes", not a moment in the past.
ClusterTime later(ClusterTime now, milliseconds wait) {
  if (wait <= milliseconds::zero()) return now;
  return wait > ClusterTime::max() - now ? ClusterTime::max() : now + wait;
}

std::optional<ClusterTime> deadline_of(const Acquire& acquire, ClusterTime now) {
  if (!acquire.wait) return std::nullopt;
  return later(now, *acquire.wait);
}

tl::unexpected<Error> held(std::string_view name, const Lock& lock) {
  const Holder& holder = lock.holders.begin()->second;
  return fail(Errc::kLockHeld, "lock \"" + std::string(name) + "\" is held by \"" + holder.owner +
                                   "\" under token " + std::to_string(holder.token.value()));
}

tl::unexpected<Error> outdated(std::string_view name, std::uint64_t attempt) {
  return fail(Errc::kCancelled, "attempt " + std::to_string(attempt) + " at lock \"" + std::string(name) +
                                    "\" was replaced by a newer attempt under the same lease");
}

Change change_of(ChangeType type, const std::string& lock, const Holder& holder, Revision revision) {
  return Change{type, lock, holder.lease, holder.attempt, holder.token, holder.owner, revision};
}

Change change_of(ChangeType type, const std::string& lock, const Waiter& waiter, Revision revision) {
  return Change{type, lock, waiter.lease, waiter.attempt, Token(), waiter.owner, revision};
}

}  // namespace

Result<Acquired> LockTable::acquire(const Acquire& acquire, Ticket ticket, const Moment& moment,
                                    std::vector<Change>& changes) {
  if (const Claim* own = claim_of(acquire.lock, acquire.lease)) {
    return acquire_again(acquire, *own, moment, changes);
  }
  const auto [lock, free] = locks_.try_emplace(acquire.lock);
  if (free) {
    Holder holder{acquire.lease, Token(), acquire.mode, acquire.owner, acquire.attempt, moment.now};
    return Acquired{grant(lock, std::move(holder), moment, changes), 0};
  }
  if (HOLDFAST_CANARY(grant_a_held_lock) && !acquire.queue) {
    Holder holder{acquire.lease, Token(), acquire.mode, acquire.owner, acquire.attempt, moment.now};
    return Acquired{grant(lock, std::move(holder), moment, changes), 0};
  }
  if (!acquire.queue) return held(acquire.lock, lock->second);

  Waiter waiter{ticket,
                acquire.lease,
                acquire.mode,
                acquire.owner,
                acquire.attempt,
                moment.now,
                deadline_of(acquire, moment.now)};
  changes.push_back(change_of(ChangeType::kQueued, lock->first, waiter, moment.revision));
  waiter_changes_.touch({lock->first, ticket}, nullptr);
  if (waiter.deadline) deadlines_.emplace(*waiter.deadline, lock->first, ticket);
  by_lease_[acquire.lease].emplace(lock->first, Claim{false, ticket});
  lock->second.queue.insert(std::move(waiter));
  return Acquired{Token(), lock->second.queue.size()};
}

Result<Acquired> LockTable::acquire_again(const Acquire& acquire, Claim own, const Moment& moment,
                                          std::vector<Change>& changes) {
  const auto lock = locks_.find(acquire.lock);
  INVARIANT(lock != locks_.end(), "a lease lists a claim on a lock that nobody holds");
  if (own.holds) {
    const auto holder = lock->second.holders.find(Token(own.number));
    INVARIANT(holder != lock->second.holders.end(), "a lease lists a token that holds nothing");
    if (acquire.attempt < holder->second.attempt) return outdated(acquire.lock, acquire.attempt);
    if (acquire.attempt > holder->second.attempt) {
      // Nobody can see this change: it decides only which cancel will fit.
      holder_changes_.touch({lock->first, own.number}, &holder->second);
      holder->second.attempt = acquire.attempt;
    }
    return Acquired{holder->first, 0};
  }
  Waiter* waiter = lock->second.queue.find(own.number);
  INVARIANT(waiter, "a lease lists a ticket that waits for nothing");
  if (!acquire.queue) return held(acquire.lock, lock->second);
  if (acquire.attempt < waiter->attempt) return outdated(acquire.lock, acquire.attempt);
  if (acquire.attempt > waiter->attempt) take_over(acquire, *waiter, moment, changes);
  return Acquired{Token(), lock->second.queue.position(own.number)};
}

void LockTable::take_over(const Acquire& acquire, Waiter& waiter, const Moment& moment,
                          std::vector<Change>& changes) {
  waiter_changes_.touch({acquire.lock, waiter.ticket}, &waiter);
  changes.push_back(change_of(ChangeType::kCancelled, acquire.lock, waiter, moment.revision));
  if (waiter.deadline) deadlines_.erase({*waiter.deadline, acquire.lock, waiter.ticket});
  waiter.attempt = acquire.attempt;
  waiter.owner = acquire.owner;
  waiter.mode = acquire.mode;
  waiter.deadline = deadline_of(acquire, moment.now);
  if (waiter.deadline) deadlines_.emplace(*waiter.deadline, acquire.lock, waiter.ticket);
}

void LockTable::cancel(std::string_view name, LeaseId lease, std::uint64_t attempt, const Moment& moment,
                       std::vector<Change>& changes) {
  const Claim* own = claim_of(name, lease);
  if (!own) return;
  const Claim claim = *own;
  const auto lock = locks_.find(name);
  INVARIANT(lock != locks_.end(), "a lease lists a claim on a lock that nobody holds");
  if (claim.holds) {
    const Token token(claim.number);
    if (HOLDFAST_CANARY(cancel_keeps_the_grant)) return;
    if (lock->second.holders.at(token).attempt == attempt) release_holder(lock, token, moment, changes);
  } else if (lock->second.queue.find(claim.number)->attempt == attempt) {
    leave_queue(lock, claim.number, ChangeType::kCancelled, moment, changes);
  }
}

Result<void> LockTable::release(std::string_view name, Token token, const Moment& moment,
                                std::vector<Change>& changes) {
  const auto lock = locks_.find(name);
  if (lock != locks_.end() && HOLDFAST_CANARY(release_with_an_old_token))
    token = lock->second.holders.begin()->first;
  if (lock == locks_.end() || lock->second.holders.find(token) == lock->second.holders.end()) {
    const std::string present =
        lock == locks_.end()
            ? std::string("nobody holds it")
            : "token " + std::to_string(lock->second.holders.begin()->first.value()) + " does";
    return fail(Errc::kNotHolder, "token " + std::to_string(token.value()) + " does not hold lock \"" +
                                      std::string(name) + "\"; " + present);
  }
  release_holder(lock, token, moment, changes);
  return {};
}

void LockTable::time_out(const OverdueWaiter& overdue, const Moment& moment, std::vector<Change>& changes) {
  const auto lock = locks_.find(overdue.lock);
  if (lock == locks_.end()) return;
  const Waiter* waiter = lock->second.queue.find(overdue.ticket);
  if (!waiter || waiter->lease != overdue.lease) return;
  if (!waiter->deadline || *waiter->deadline > moment.now) return;
  leave_queue(lock, overdue.ticket, ChangeType::kWaitTimedOut, moment, changes);
}

std::size_t LockTable::end_lease(LeaseId lease, std::size_t most, const Moment& moment,
                                 std::vector<Change>& changes) {
  std::size_t count = 0;
  for (const Claims* claims = attached_to(lease); claims && count < most; claims = attached_to(lease)) {
    const Claim claim = claims->begin()->second;
    const auto lock = locks_.find(claims->begin()->first);
    INVARIANT(lock != locks_.end(), "a lease lists a claim on a lock that nobody holds");
    if (claim.holds) {
      release_holder(lock, Token(claim.number), moment, changes);
    } else {
      leave_queue(lock, claim.number, ChangeType::kLeaseEnded, moment, changes);
    }
    ++count;
  }
  return count;
}

Token LockTable::grant(Table::iterator lock, Holder holder, const Moment& moment,
                       std::vector<Change>& changes) {
  if (!HOLDFAST_CANARY(two_grants_with_one_token) || changes.empty()) last_token_ = last_token_.next();
  const Token token = last_token_;
  holder.token = token;
  holder_changes_.touch({lock->first, token.value()}, nullptr);
  by_lease_[holder.lease].insert_or_assign(lock->first, Claim{true, token.value()});
  changes.push_back(change_of(ChangeType::kGranted, lock->first, holder, moment.revision));
  lock->second.holders.emplace(token, std::move(holder));
  return token;
}

void LockTable::release_holder(Table::iterator lock, Token token, const Moment& moment,
                               std::vector<Change>& changes) {
  const auto holder = lock->second.holders.find(token);
  INVARIANT(holder != lock->second.holders.end(), "a token was released that holds nothing");
  changes.push_back(change_of(ChangeType::kReleased, lock->first, holder->second, moment.revision));
  holder_changes_.touch_erased({lock->first, token.value()}, holder->second);
  forget_claim(lock->first, holder->second.lease);
  lock->second.holders.erase(holder);
  grant_next(lock, moment, changes);
}

void LockTable::grant_next(Table::iterator lock, const Moment& moment, std::vector<Change>& changes) {
  Queue& queue = lock->second.queue;
  while (!queue.empty()) {
    const Ticket first = HOLDFAST_CANARY(queue_is_a_stack) ? queue.waiters().rbegin()->first : queue.front();
    if (!HOLDFAST_CANARY(grant_without_looking_at_the_lease) && !moment.is_live(queue.find(first)->lease)) {
      leave_queue(lock, first, ChangeType::kLeaseEnded, moment, changes);
      continue;
    }
    Waiter waiter = take_from_queue(lock, first);
    grant(lock,
          Holder{waiter.lease, Token(), waiter.mode, std::move(waiter.owner), waiter.attempt, moment.now},
          moment, changes);
    return;
  }
  locks_.erase(lock);
}

Waiter LockTable::take_from_queue(Table::iterator lock, Ticket ticket) {
  Queue& queue = lock->second.queue;
  Waiter* waiter = queue.find(ticket);
  INVARIANT(waiter, "a ticket was called that does not wait");
  waiter_changes_.touch_erased({lock->first, ticket}, *waiter);
  if (waiter->deadline) deadlines_.erase({*waiter->deadline, lock->first, ticket});
  forget_claim(lock->first, waiter->lease);
  Waiter taken = std::move(*waiter);
  queue.erase(ticket);
  return taken;
}

void LockTable::leave_queue(Table::iterator lock, Ticket ticket, ChangeType why, const Moment& moment,
                            std::vector<Change>& changes) {
  const Waiter waiter = take_from_queue(lock, ticket);
  changes.push_back(change_of(why, lock->first, waiter, moment.revision));
}

const LockTable::Claim* LockTable::claim_of(std::string_view lock, LeaseId lease) const {
  const auto claims = by_lease_.find(lease);
  if (claims == by_lease_.end()) return nullptr;
  const auto claim = claims->second.find(lock);
  return claim == claims->second.end() ? nullptr : &claim->second;
}

void LockTable::forget_claim(std::string_view lock, LeaseId lease) {
  const auto claims = by_lease_.find(lease);
  INVARIANT(claims != by_lease_.end(), "a claim outlived the list of its lease");
  const auto claim = claims->second.find(lock);
  INVARIANT(claim != claims->second.end(), "a claim outlived its place in the list of its lease");
  claims->second.erase(claim);
  if (claims->second.empty()) by_lease_.erase(claims);
}

}  // namespace holdfast::lock
