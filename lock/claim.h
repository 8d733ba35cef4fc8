#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/time.h"

/// Who holds a lock and who waits for it.
namespace holdfast::lock {

/// Stored and sent: DO NOT CHANGE THE NUMBERS.
enum class Mode : std::uint8_t { kExclusive = 0 };

/// The log index of the acquire that joined a queue: the queue's order. Unique in the whole log.
using Ticket = std::uint64_t;

/// Where the image keeps a claim: (lock, token) for a holder, (lock, ticket) for a waiter.
using ClaimKey = std::pair<std::string, std::uint64_t>;

struct Holder {
  LeaseId lease;
  Token token;
  Mode mode = Mode::kExclusive;
  std::string owner;  ///< a label for people
  std::uint64_t attempt = 0;
  ClusterTime since{0};
  friend bool operator==(const Holder&, const Holder&) = default;
};

struct Waiter {
  Ticket ticket = 0;
  LeaseId lease;
  Mode mode = Mode::kExclusive;
  std::string owner;
  std::uint64_t attempt = 0;
  ClusterTime since{0};
  std::optional<ClusterTime> deadline;
  friend bool operator==(const Waiter&, const Waiter&) = default;
};

/// The waiters of one lock, in order of ticket. Joining, leaving at the front and asking for a position never
/// walk the queue; leaving from the middle moves eight bytes for each waiter behind.
class Queue {
 public:
  using Waiters = std::map<Ticket, Waiter>;

  /// Requires: the ticket is new.
  void insert(Waiter waiter);
  /// Requires: the ticket is there.
  void erase(Ticket ticket);

  bool empty() const { return order_.empty(); }
  std::size_t size() const { return order_.size(); }
  /// Requires: not empty.
  Ticket front() const { return order_.front(); }
  /// Returns: null if unknown.
  const Waiter* find(Ticket ticket) const;
  Waiter* find(Ticket ticket);
  /// Requires: the ticket is there. Returns: 1 for the first waiter.
  std::size_t position(Ticket ticket) const;
  /// In order of position: the n-th has position n.
  const Waiters& waiters() const { return waiters_; }

  friend bool operator==(const Queue&, const Queue&) = default;

 private:
  std::deque<Ticket>::const_iterator place_of(Ticket ticket) const;

  Waiters waiters_;
  std::deque<Ticket> order_;  // the keys of waiters_: knows positions
};

/// Exists only while it is held; there is no waiter without a holder.
struct Lock {
  std::map<Token, Holder> holders;  ///< at most one while only exclusive locks exist
  Queue queue;
  friend bool operator==(const Lock&, const Lock&) = default;
};

}  // namespace holdfast::lock
