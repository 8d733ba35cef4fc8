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
/// takes waiters whose time is over out of the locks' queues, and announces where clients reach each member.
class LeaderDuties {
 public:
  /// Proposes; runs the callback once its fate is decided.
  using Propose = std::function<void(state::Operation, Callback<void()>)>;
  /// EndLeases commands under way at a time.
  static constexpr int kMaxEndsUnderWay = 4;

  LeaderDuties(const state::Machine& machine, LeaseClock& leases, const ClusterClock& clock, Propose propose);

  /// Requires: `leases` and `clock` run.
  void take_office();
  void leave_office();

  /// Where clients reach a member, as that member says.
  void member_reached(MemberId member, std::string name, std::string client_endpoint);
  void member_lost(MemberId member);

  /// Proposes what is due. Cheap if nothing is.
  void run(Instant now);
  /// When run() is due; kNever out of office.
  Instant due() const;

 private:
  void end_leases(Instant now);
  void time_out_waiters(Instant now);
  void announce_members();
  /// Proposes; `settled` runs unless the office was left in between.
  void propose(state::Operation operation, Callback<void()> settled);

  const state::Machine& machine_;
  LeaseClock& leases_;
  const ClusterClock& clock_;
  Propose propose_;

  bool in_office_ = false;
  std::uint64_t term_of_office_ = 0;  // counts: what an earlier office proposed settles nothing here
  int ends_under_way_ = 0;
  bool time_out_under_way_ = false;
  Instant not_before_;  // of the next look at overdue waiters
  std::map<MemberId, state::MemberAddress> reached_;
  std::set<MemberId> announcing_;
  bool announcements_due_ = false;
};

}  // namespace holdfast::node
