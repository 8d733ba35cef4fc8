#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/time.h"
#include "node/cluster_clock.h"
#include "node/lease_clock.h"
#include "raft/types.h"
#include "state/command.h"
#include "state/machine.h"

namespace holdfast::node {

/// What the leader does unasked, through the log like everybody else: it ends leases whose time is over,
/// takes waiters whose time is over out of the locks' queues, announces where clients reach each member and
/// what it supports, and raises the feature level once all members support more.
class LeaderDuties {
 public:
  /// Proposes; runs the callback once its fate is decided.
  using Propose = std::function<void(state::Operation, Callback<void()>)>;
  /// EndLeases commands under way at a time.
  static constexpr int kMaxEndsUnderWay = 4;

  /// The membership in force.
  using Members = std::function<const raft::Membership&()>;

  LeaderDuties(const state::Machine& machine, LeaseClock& leases, const ClusterClock& clock, Members members,
               Propose propose);

  /// Requires: `leases` and `clock` run.
  void take_office();
  void leave_office();

  /// Where clients reach a member, and the highest feature level it supports, as that member says. Announced
  /// once it is in the membership: whoever else connects is not to leave a trace in the log.
  void member_reached(MemberId member, std::string client_endpoint, std::uint16_t feature_level);
  /// Another membership is in force: who is to be announced, and whom the feature level waits for, may have
  /// changed.
  void membership_changed() { announcements_due_ = level_due_ = true; }
  void member_lost(MemberId member);
  /// What was proposed was refused: the same again at once would be refused again.
  void pause_until(Instant until) { resume_at_ = until; }

  /// Proposes what is due. Cheap if nothing is.
  void run(Instant now);
  /// When run() is due; kNever out of office.
  Instant due() const;

 private:
  void end_leases(Instant now);
  void time_out_waiters(Instant now);
  void announce_members();
  void raise_feature_level();
  /// Proposes; `settled` runs unless the office was left in between.
  void propose(state::Operation operation, Callback<void()> settled);

  const state::Machine& machine_;
  LeaseClock& leases_;
  const ClusterClock& clock_;
  Members members_;
  Propose propose_;

  bool in_office_ = false;
  std::uint64_t term_of_office_ = 0;    // counts: what an earlier office proposed settles nothing here
  Instant resume_at_ = Instant::min();  // of anything, after a refusal
  int ends_under_way_ = 0;
  bool time_out_under_way_ = false;
  Instant not_before_;  // of the next look at overdue waiters
  struct Reached {
    std::string client_endpoint;
    std::uint16_t feature_level = state::level::kFirst;
  };
  std::map<MemberId, Reached> reached_;
  std::set<MemberId> announcing_;
  bool announcements_due_ = false;
  bool level_due_ = false;
  bool level_under_way_ = false;
};

}  // namespace holdfast::node
