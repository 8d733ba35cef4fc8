#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/changed_rows.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

/// Named locks, held under leases. The queue of a lock is strictly in commit order; a released lock goes to
/// its first waiter whose lease is live, in the same command, so nobody barges in and one waiter is woken.
///
///               acquire, free                    acquire, held, queue
///     (nothing) -------------> held       (nothing) ----------------> waiting
///     held --release | lease ends--> (nothing), and the first live waiter becomes held
///     waiting --cancel | wait over | lease ends--> (nothing)
namespace holdfast::lock {

/// Stored and sent: DO NOT CHANGE THE NUMBERS.
enum class Mode : std::uint8_t { kExclusive = 0 };

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

struct Holder {
  LeaseId lease;
  Token token;
  Mode mode = Mode::kExclusive;
  std::string owner;
  std::uint64_t attempt = 0;
  ClusterTime since{0};
  friend bool operator==(const Holder&, const Holder&) = default;
};

struct Waiter {
  std::uint64_t ticket = 0;  ///< the log index of its acquire: the queue's order
  LeaseId lease;
  Mode mode = Mode::kExclusive;
  std::string owner;
  std::uint64_t attempt = 0;
  ClusterTime since{0};
  std::optional<ClusterTime> deadline;
  friend bool operator==(const Waiter&, const Waiter&) = default;
};

struct Lock {
  std::vector<Holder> holders;  ///< at most one while only exclusive locks exist
  std::deque<Waiter> queue;     ///< in order of ticket
  friend bool operator==(const Lock&, const Lock&) = default;
};

enum class ChangeType : std::uint8_t { kGranted, kReleased, kQueued, kCancelled, kWaitTimedOut };

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
  std::uint64_t ticket = 0;
  friend bool operator==(const OverdueWaiter&, const OverdueWaiter&) = default;
};

class LockTable {
 public:
  using Table = std::map<std::string, Lock, std::less<>>;
  /// "Is this lease live now?": asked again for every single grant.
  using IsLive = std::function<bool(LeaseId)>;

  /// What every transition needs to know of the command it is part of.
  struct Moment {
    Revision revision;
    ClusterTime now{0};
    const IsLive& is_live;
  };

  /// Requires: the lease is live. Idempotent for the same (lock, lease).
  /// Errors: kLockHeld (try; names the holder's owner and token).
  Result<Acquired> acquire(const Acquire& acquire, std::uint64_t ticket, const Moment& moment,
                           std::vector<Change>& changes);
  /// Ends the claim of that attempt: leaves the queue, or releases if it was granted meanwhile. A claim of a
  /// newer attempt, or none, is left alone; never an error.
  void cancel(std::string_view lock, LeaseId lease, std::uint64_t attempt, const Moment& moment,
              std::vector<Change>& changes);
  /// Errors: kNotHolder if that token does not hold the lock (also when nobody does); then nothing changed.
  Result<void> release(std::string_view lock, Token token, const Moment& moment,
                       std::vector<Change>& changes);
  /// Removes a waiter whose time is over; nothing if it holds or left meanwhile, or its deadline is still to
  /// come.
  void time_out(const OverdueWaiter& waiter, const Moment& moment, std::vector<Change>& changes);
  std::size_t end_lease(LeaseId lease, std::size_t most, const Moment& moment, std::vector<Change>& changes);

  const Lock* find(std::string_view lock) const;
  const Table& all() const { return locks_; }
  /// Names of locks the lease holds or waits for.
  const std::set<std::string, std::less<>>* attached_to(LeaseId lease) const;
  /// The earliest deadline of any waiter.
  std::optional<ClusterTime> next_deadline() const;
  std::vector<OverdueWaiter> overdue(ClusterTime now, std::size_t most) const;
  /// The number of the last grant; the next one is this plus one.
  Token last_token() const { return last_token_; }

  // The image: one row a claim, keyed (lock, holder or waiter, token or ticket); the helper types are the
  // table's own.
  void load_holder(std::string lock, Holder holder);
  void load_waiter(std::string lock, Waiter waiter);
  void load_last_token(Token token) { last_token_ = token; }
  ChangedRows<std::string, Lock>& changes() { return changes_; }

 private:
  Table locks_;
  std::map<LeaseId, std::set<std::string, std::less<>>> by_lease_;
  std::set<std::pair<ClusterTime, std::pair<std::string, std::uint64_t>>>
      deadlines_;  // (deadline, (lock, ticket))
  Token last_token_;
  ChangedRows<std::string, Lock> changes_;
};

}  // namespace holdfast::lock
