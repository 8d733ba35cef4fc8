#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "raft/types.h"
#include "state/machine.h"
#include "tests/sim/schedule.h"
#include "tests/sim/verdict.h"

namespace holdfast::sim {

/// The world's own replica: applies every entry when the first member knows it committed, remembers what came
/// of it, and holds it against what clients were told.
class Oracle {
 public:
  Oracle(const Schedule& schedule, Verdict& verdict) : schedule_(schedule), verdict_(verdict) {}

  /// Requires: the entry follows the last one.
  void commit(const raft::Entry& entry);
  Index committed() const { return Index(entries_.size()); }
  /// Requires: 1 <= index <= committed().
  const raft::Entry& entry(Index index) const { return entries_[index.value() - 1]; }
  std::uint64_t digest_at(Index index) const { return digests_[index.value() - 1]; }
  const state::Machine& machine() const { return machine_; }
  /// Every change of the configuration, in order.
  const std::vector<state::SharedChange>& changes() const { return changes_; }

  // What clients were told. Values are unique in a world: each names its write.
  void write_acknowledged(const std::string& value, Revision revision);
  void write_refused(const std::string& value);
  /// The client may believe in the lease until `safe_until`.
  void lease_acknowledged(LeaseId lease, Instant safe_until);
  /// A client was told the revision: nobody may read an older state from now on.
  void revision_seen(Revision revision) { newest_seen_ = std::max(newest_seen_, revision); }
  Revision newest_seen() const { return newest_seen_; }

 private:
  struct Lease {
    Instant safe_until;
    Instant expired = kNever;
  };
  struct Claims {
    LeaseId holder;
    std::deque<LeaseId> queue;
  };
  void apply(const raft::Entry& entry);
  void check_once(const state::Command& command, const state::Applied& applied);
  void check_expiry(const std::vector<LeaseId>& leases);
  void check_lock(const lock::Change& change);
  void check_change(const state::SharedChange& change);

  const Schedule& schedule_;
  Verdict& verdict_;
  state::Machine machine_;
  std::vector<raft::Entry> entries_;
  std::vector<std::uint64_t> digests_;
  std::vector<state::SharedChange> changes_;
  std::map<std::string, Revision> written_;  // by value
  std::set<std::string> refused_;
  std::set<std::pair<LeaseId, std::uint64_t>> ran_;  // (session, sequence)
  std::map<LeaseId, Lease> leases_;
  std::map<std::string, Claims> locks_;
  Token last_token_;
  Revision newest_seen_;
};

}  // namespace holdfast::sim
