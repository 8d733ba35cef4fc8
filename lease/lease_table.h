#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/changed_rows.h"
#include "base/ids.h"
#include "base/time.h"

/// Leases as the log knows them: which exist, with what TTL, and which are ending. When one ends is not known
/// here: the leader counts (node/lease_clock), and proposes.
///
///     grant --> live --end()--> ending --everything attached removed--> gone
///
/// An ending lease is dead for every purpose; only its attachments are still being removed, in bounded
/// batches.
namespace holdfast::lease {

struct Lease {
  LeaseId id;
  milliseconds ttl{0};
  bool ending = false;

  friend bool operator==(const Lease&, const Lease&) = default;
};

class LeaseTable {
 public:
  using Table = std::map<LeaseId, Lease, std::less<>>;

  /// Requires: `id` is new; limits of ttl were checked.
  void grant(LeaseId id, milliseconds ttl);
  /// True if the lease exists and is not ending: the check that every attachment and every lock grant
  /// repeats.
  bool is_live(LeaseId id) const;
  /// Marks a lease as ending. Returns: false if there is none (live or ending). Ending twice is no error.
  bool end(LeaseId id);
  /// Removes an ending lease whose attachments are gone.
  void remove(LeaseId id);

  /// Returns: null if unknown. The pointer is valid until the next change.
  const Lease* find(LeaseId id) const;
  const Table& all() const { return leases_; }
  /// Leases whose attachments are still to be removed, in order of id.
  std::vector<LeaseId> ending() const { return {ending_.begin(), ending_.end()}; }

  // The image: see base/changed_rows.h.
  void load(Lease lease);
  ChangedRows<LeaseId, Lease>& changes() { return changes_; }
  std::size_t pending() const { return changes_.pending(); }

 private:
  Table leases_;
  std::set<LeaseId> ending_;
  ChangedRows<LeaseId, Lease> changes_;
};

}  // namespace holdfast::lease
