#include "node/leader_duties.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "raft/quorum.h"

namespace holdfast::node {

namespace {

constexpr std::size_t kWaitersPerCommand = 256;

}  // namespace

LeaderDuties::LeaderDuties(const state::Machine& machine, LeaseClock& leases, const ClusterClock& clock,
                           Members members, Propose propose)
    : machine_(machine),
      leases_(leases),
      clock_(clock),
      members_(std::move(members)),
      propose_(std::move(propose)) {}

void LeaderDuties::take_office() {
  in_office_ = true;
  ++term_of_office_;
  ends_under_way_ = 0;
  time_out_under_way_ = false;
  not_before_ = Instant();
  announcing_.clear();
  announcements_due_ = true;
  level_due_ = true;
  level_under_way_ = false;
}

void LeaderDuties::leave_office() { in_office_ = false; }

void LeaderDuties::member_reached(MemberId member, std::string client_endpoint, std::uint16_t feature_level) {
  if (client_endpoint.empty()) return;
  reached_[member] = {std::move(client_endpoint), feature_level};
  announcements_due_ = true;
}

void LeaderDuties::member_lost(MemberId member) { reached_.erase(member); }

void LeaderDuties::run(Instant now) {
  if (!in_office_ || now < resume_at_) return;
  end_leases(now);
  time_out_waiters(now);
  if (announcements_due_) announce_members();
  if (level_due_) raise_feature_level();
}

Instant LeaderDuties::due() const {
  if (!in_office_) return kNever;
  Instant due = announcements_due_ || level_due_ ? Instant::min() : kNever;
  if (ends_under_way_ < kMaxEndsUnderWay) due = std::min(due, leases_.next_deadline());
  if (auto deadline = machine_.locks().next_deadline(); deadline && !time_out_under_way_) {
    due = std::min(due, std::max(clock_.instant_of(*deadline), not_before_));
  }
  return std::max(due, resume_at_);
}

void LeaderDuties::end_leases(Instant now) {
  while (ends_under_way_ < kMaxEndsUnderWay && leases_.next_deadline() <= now) {
    std::vector<LeaseId> overdue = leases_.to_end(now, limits::kExpiryBatch);
    if (overdue.empty()) return;
    ++ends_under_way_;
    propose(state::EndLeases{std::move(overdue)}, [this] { --ends_under_way_; });
  }
}

void LeaderDuties::time_out_waiters(Instant now) {
  if (time_out_under_way_ || now < not_before_) return;
  auto deadline = machine_.locks().next_deadline();
  if (!deadline || *deadline > clock_.at(now)) return;
  std::vector<lock::OverdueWaiter> overdue = machine_.locks().overdue(clock_.at(now), kWaitersPerCommand);
  not_before_ = now + milliseconds(1);
  if (overdue.empty()) return;
  time_out_under_way_ = true;
  propose(state::TimeOutWaiters{std::move(overdue)}, [this] { time_out_under_way_ = false; });
}

void LeaderDuties::announce_members() {
  announcements_due_ = false;
  for (const auto& [id, reached] : reached_) {
    const raft::Member* member = raft::find_member(members_(), id);
    if (!member) continue;
    const state::MemberAddress address{member->name, reached.client_endpoint};
    const auto known = machine_.members().find(id);
    const bool announced = known != machine_.members().end() && known->second == address &&
                           machine_.level_of(id) == reached.feature_level;
    if (announced || !announcing_.insert(id).second) continue;
    propose(state::AnnounceMember{id, address.name, address.client_endpoint, reached.feature_level},
            [this, id = id] {
              announcing_.erase(id);
              announcements_due_ = true;  // it may have moved again meanwhile
              level_due_ = true;
            });
  }
}

/// Going by what is in the log, not by who is connected: a member that is away counts with what it announced.
void LeaderDuties::raise_feature_level() {
  level_due_ = false;
  std::uint16_t lowest = state::kSupportedLevel;
  for (const MemberId member : raft::all_members(members_())) {
    lowest = std::min(lowest, machine_.level_of(member));
  }
  if (lowest <= machine_.feature_level() || std::exchange(level_under_way_, true)) return;
  propose(state::RaiseFeatureLevel{lowest}, [this] {
    level_under_way_ = false;
    level_due_ = true;
  });
}

void LeaderDuties::propose(state::Operation operation, Callback<void()> settled) {
  propose_(std::move(operation), [this, office = term_of_office_, settled = std::move(settled)]() mutable {
    if (in_office_ && office == term_of_office_) settled();
  });
}

}  // namespace holdfast::node
