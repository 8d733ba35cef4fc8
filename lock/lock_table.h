#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/changed_rows.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "lock/claim.h"

/// Named locks, held under leases. The queue of a lock is strictly in commit order; a released lock goes to
/// its first waiter whose lease is live, in the same command, so nobody barges in and one waiter is woken.
///
///               acquire, free                    acquire, held, queue
///     (nothing) -------------> held       (nothing) ----------------> waiting
///     held --release | cancel | lease ends--> (nothing), and the first live waiter becomes held
///     waiting --cancel | wait over | lease ends--> (nothing)
namespace holdfast::lock {

/// Identity of a claim is (lock, lease): a client that asks again, after a failover say, meets its own claim.
struct Acquire {
  std::string lock;
  LeaseId lease;
  Mode mode = Mode::kExclusive;
  std::string owner;                 ///< a label for people
  bool queue = false;                ///< false: try, and be told at once
  std::optional<milliseconds> wait;  ///< in the queue, of cluster time; none: as long as it takes
  /// The client's number for this wish. A cancel names it, so that a late cancel of an older wish does not
  /// undo a newer one; an acquire with a newer number takes over the claim of the same (lock, lease).
  std::uint64_t attempt = 0;
};

/// kLeaseEnded: a waiter left because its lease has ended; a holder whose lease ends is kReleased.
enum class ChangeType : std::uint8_t { kGranted, kReleased, kQueued, kCancelled, kWaitTimedOut, kLeaseEnded };

/// One change of one claim.
struct Change {
  ChangeType type = ChangeType::kGranted;
  std::string lock;
  LeaseId lease;
  std::uint64_t attempt = 0;
  Token token;  ///< granted, released
  std::string owner;
  Revision revision;
  friend bool operator==(const Change&, const Change&) = default;
};

/// What came of an acquire: granted if the token is not zero, else waiting at `position` (the first waiter
/// has 1).
struct Acquired {
  Token token;
  std::size_t position = 0;
  friend bool operator==(const Acquired&, const Acquired&) = default;
};

/// A waiter whose time is over, for the leader to propose its removal.
struct OverdueWaiter {
  std::string lock;
  LeaseId lease;
  Ticket ticket = 0;
  friend bool operator==(const OverdueWaiter&, const OverdueWaiter&) = default;
};

class LockTable {
 public:
  using Table = std::map<std::string, Lock, std::less<>>;
  /// "Is this lease live now?": asked again for every single grant.
  using IsLive = std::function<bool(LeaseId)>;

  /// Where a lease's claim on one lock is found.
  struct Claim {
    bool holds = false;
    std::uint64_t number = 0;  ///< the token if it holds, else the ticket
    friend bool operator==(const Claim&, const Claim&) = default;
  };
  using Claims = std::map<std::string, Claim, std::less<>>;

  /// What every transition needs to know of the command it is part of.
  struct Moment {
    Revision revision;
    ClusterTime now{0};
    const IsLive& is_live;
  };

  /// Asks for a lock. Asking again for the same (lock, lease):
  ///   - the same attempt: the holder's token, or the waiter's position, and nothing changed (its deadline
  ///     neither);
  ///   - a newer attempt: takes the claim over with its place or token. A waiter also takes the new owner
  ///     and deadline, and the older attempt hears kCancelled;
  ///   - an older attempt: kCancelled, nothing changed;
  ///   - a try while the lease waits: kLockHeld, and the wait goes on undisturbed.
  /// Requires: the lease is live; `ticket` is new and above all others.
  /// Errors: kLockHeld (try; names the holder's owner and token), kCancelled.
  Result<Acquired> acquire(const Acquire& acquire, Ticket ticket, const Moment& moment,
                           std::vector<Change>& changes);
  /// Ends the claim of exactly that attempt: leaves the queue, or releases if it was granted meanwhile. A
  /// claim of another attempt, or none, is left alone; never an error. It cannot stop an acquire that is
  /// committed after it: that is what a session's acknowledged_below is for.
  void cancel(std::string_view lock, LeaseId lease, std::uint64_t attempt, const Moment& moment,
              std::vector<Change>& changes);
  /// Errors: kNotHolder if that token does not hold the lock (also when nobody does); then nothing changed.
  Result<void> release(std::string_view lock, Token token, const Moment& moment,
                       std::vector<Change>& changes);
  /// Removes a waiter whose time is over; nothing if it holds or left meanwhile, or its deadline is still to
  /// come.
  void time_out(const OverdueWaiter& waiter, const Moment& moment, std::vector<Change>& changes);
  /// Ends at most `most` claims of a lease that is no longer live. Returns: how many. Waiters of other dead
  /// leases that a grant passes over on the way are removed too and not counted: each is passed once.
  std::size_t end_lease(LeaseId lease, std::size_t most, const Moment& moment, std::vector<Change>& changes);

  /// Returns: null if nobody holds it.
  const Lock* find(std::string_view lock) const;
  const Table& all() const { return locks_; }
  /// The lease's claims, in order of the locks' names; null if none.
  const Claims* attached_to(LeaseId lease) const;
  const std::map<LeaseId, Claims>& by_lease() const { return by_lease_; }
  /// The earliest deadline of any waiter.
  std::optional<ClusterTime> next_deadline() const;
  /// Waiters whose deadline is at or before `now`, the earliest first.
  std::vector<OverdueWaiter> overdue(ClusterTime now, std::size_t most) const;
  /// The number of the last grant; the next one is this plus one.
  Token last_token() const { return last_token_; }

  // The image: one row a claim; see base/changed_rows.h.
  void load_holder(std::string lock, Holder holder);
  void load_waiter(std::string lock, Waiter waiter);
  void load_last_token(Token token) { last_token_ = token; }
  void freeze();
  std::vector<ChangedRows<ClaimKey, Holder>::Taken> take_holders(std::size_t most);
  std::vector<ChangedRows<ClaimKey, Waiter>::Taken> take_waiters(std::size_t most);
  std::size_t pending() const { return holder_changes_.pending() + waiter_changes_.pending(); }

 private:
  const Claim* claim_of(std::string_view lock, LeaseId lease) const;
  void forget_claim(std::string_view lock, LeaseId lease);
  Result<Acquired> acquire_again(const Acquire& acquire, Claim own, const Moment& moment,
                                 std::vector<Change>& changes);
  void take_over(const Acquire& acquire, Waiter& waiter, const Moment& moment, std::vector<Change>& changes);
  Token grant(Table::iterator lock, Holder holder, const Moment& moment, std::vector<Change>& changes);
  void release_holder(Table::iterator lock, Token token, const Moment& moment, std::vector<Change>& changes);
  void grant_next(Table::iterator lock, const Moment& moment, std::vector<Change>& changes);
  /// Returns: the waiter as it was.
  Waiter take_from_queue(Table::iterator lock, Ticket ticket);
  void leave_queue(Table::iterator lock, Ticket ticket, ChangeType why, const Moment& moment,
                   std::vector<Change>& changes);

  Table locks_;
  std::map<LeaseId, Claims> by_lease_;
  std::set<std::tuple<ClusterTime, std::string, Ticket>> deadlines_;
  Token last_token_;
  ChangedRows<ClaimKey, Holder> holder_changes_;
  ChangedRows<ClaimKey, Waiter> waiter_changes_;
};

}  // namespace holdfast::lock
