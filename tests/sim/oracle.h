#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "raft/types.h"
#include "state/machine.h"
#include "tests/sim/schedule.h"
#include "tests/sim/verdict.h"

namespace holdfast::sim {

/// How far a clock may be from another's, in thousandths: what the service and the SDK are made for.
constexpr int kMostDriftPermille = 50;

/// The world's own replica: applies every entry when the first member knows it committed, remembers what came
/// of it, and holds it against what clients were told.
class Oracle {
 public:
  Oracle(const Schedule& schedule, Verdict& verdict) : schedule_(schedule), verdict_(verdict) {}

  /// The membership before the first entry.
  void found(raft::Membership founders);
  /// Of the newest committed entry that has one.
  const raft::Membership& membership() const { return *memberships_.rbegin()->second; }
  /// In force at an index. Requires: index <= committed().
  const raft::Membership& membership_at(Index index) const {
    return *std::prev(memberships_.upper_bound(index))->second;
  }

  /// Requires: the entry follows the last one.
  void commit(const raft::Entry& entry);
  Index committed() const { return Index(entries_.size()); }
  /// Requires: 1 <= index <= committed().
  const raft::Entry& entry(Index index) const { return entries_[index.value() - 1]; }
  std::uint64_t digest_at(Index index) const { return digests_[index.value() - 1]; }
  const state::Machine& machine() const { return machine_; }
  /// Every change of the configuration, in order.
  const std::vector<config::Change>& changes() const { return changes_; }

  // What clients were told. Values are unique in a world: each names its write.
  void write_acknowledged(const std::string& value, Revision revision);
  void write_refused(const std::string& value);
  /// A member said of a request that came at `arrived`: the lease has its TTL.
  void lease_acknowledged(LeaseId lease, Instant arrived, milliseconds ttl);
  /// A client holds a lock by all that it knows, whenever `safe` says so.
  void holder_believes(const std::string& lock, Token token, std::function<bool()> safe);
  void holder_lets_go(Token token) { beliefs_.erase(token); }
  /// Nobody who is sure of a lock may be wrong.
  void check_beliefs();
  /// A client was told the revision: nobody may read an older state from now on.
  void revision_seen(Revision revision) { newest_seen_ = std::max(newest_seen_, revision); }
  Revision newest_seen() const { return newest_seen_; }

 private:
  struct Lease {
    Instant safe_until;
    Instant expired = kNever;
    Instant over = kNever;  ///< expired or revoked
  };
  struct Belief {
    std::string lock;
    std::function<bool()> safe;
  };
  struct Claims {
    LeaseId holder;
    std::deque<LeaseId> queue;
  };
  void apply(const raft::Entry& entry);
  void change(const raft::Entry& entry);
  void check_once(const state::Command& command, const state::Applied& applied);
  void check_condition(const state::Command& command, const state::Applied& applied);
  void check_expiry(const std::vector<LeaseId>& leases);
  void check_lock(const lock::Change& change);
  void check_change(const config::Change& change);

  const Schedule& schedule_;
  Verdict& verdict_;
  state::Machine machine_;
  std::vector<raft::Entry> entries_;
  std::map<Index, std::shared_ptr<const raft::Membership>> memberships_;
  raft::Membership settled_;  // the newest that was not joint
  std::vector<std::uint64_t> digests_;
  std::vector<config::Change> changes_;
  std::map<std::string, Revision> written_;  // by value
  std::set<std::string> refused_;
  std::set<std::pair<LeaseId, std::uint64_t>> ran_;  // (session, sequence)
  std::map<std::string, Revision> keys_;             // those that are there
  std::map<LeaseId, Lease> leases_;
  std::map<std::string, Claims> locks_;
  std::map<Token, Belief> beliefs_;
  Token last_token_;
  Revision newest_seen_;
};

}  // namespace holdfast::sim
