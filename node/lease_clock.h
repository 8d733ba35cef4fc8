#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "lease/lease_table.h"

/// When leases end, as the leader counts it: pure, told the time and what became of the log.
///
///                    start(): the leader applied its own no-op
///     (out of office) ------------------------------------> counting --stop()--> (out of office)
///
///     lease:  live --deadline--> overdue --end_proposed()--> undecided --end_decided()--> gone, ending or
///     live
///
/// Out of office nothing is counted: only the leader proposes that a lease ends, and whoever becomes leader
/// gives every lease its whole TTL again, for it cannot know what its predecessor promised.
namespace holdfast::node {

class LeaseClock {
 public:
  /// What renew() found.
  enum class Renewal { kRenewed, kGone, kUndecided };

  void start(const lease::LeaseTable& leases, Instant now);
  void stop();
  bool counting() const { return counting_; }

  /// A grant was applied.
  void granted(LeaseId lease, milliseconds ttl, Instant now);

  /// Prolongs a live lease to `now` + its TTL, unless its end is in the log undecided (kUndecided: ask again
  /// after that). Requires: leadership was confirmed since the renewal was asked for.
  Renewal renew(LeaseId lease, Instant now);
  /// What is left; zero if it has ended or its time is over.
  milliseconds remaining(LeaseId lease, Instant now) const;
  /// Zero if unknown.
  milliseconds ttl(LeaseId lease) const;

  /// The end of a lease is on its way into the log; several may be.
  void end_proposed(LeaseId lease);
  /// One of them was applied, or certainly never will be. `leases` is the state after it.
  void end_decided(LeaseId lease, const lease::LeaseTable& leases);
  bool undecided(LeaseId lease) const;

  /// Leases to propose the end of: those ending already with something still attached, then those overdue;
  /// none whose end is undecided. At most `most`. They are given once: end_proposed() must follow for each.
  std::vector<LeaseId> to_end(Instant now, std::size_t most);
  /// When to_end() may have something; kNever if nothing is to come.
  Instant next_deadline() const;

 private:
  struct Timer {
    milliseconds ttl{0};
    Instant deadline;
    std::optional<Instant> queued;  ///< its place in deadlines_: at `deadline` or earlier
  };
  void queue(LeaseId lease, Timer& timer);

  bool counting_ = false;
  std::unordered_map<LeaseId, Timer> timers_;  // never iterated: its order is nobody's business
  // A renewal only moves the timer's deadline; the place here is corrected when it comes up.
  std::set<std::pair<Instant, LeaseId>> deadlines_;
  std::unordered_map<LeaseId, int> undecided_;  // ends on their way, also of leases not yet granted
  std::set<LeaseId> ending_;                    // dead, but something is still attached
};

}  // namespace holdfast::node
