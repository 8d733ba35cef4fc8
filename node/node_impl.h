#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/cluster_clock.h"
#include "node/driver.h"
#include "node/imager.h"
#include "node/keep_alives.h"
#include "node/leader_duties.h"
#include "node/leader_waiters.h"
#include "node/lease_clock.h"
#include "node/lifetime.h"
#include "node/membership_calls.h"
#include "node/node.h"
#include "node/proposals.h"
#include "node/reads.h"
#include "node/snapshot_receiver.h"
#include "node/snapshot_sender.h"

namespace holdfast::node {

/// Joins the parts; each decides its own matter.
///
///     follower --elected--> leader --its own no-op applied--> in office --deposed--> follower
///
/// Only in office are commands proposed, reads and renewals answered, and leases counted.
class Node::Impl final : public DriverListener {
 public:
  Impl(Options options, Ports ports, raft::Restored restored, std::unique_ptr<state::Machine> machine);

  // As in node.h.
  void start();
  void on_alarm();
  void receive(raft::Message message);
  void peer_connected(MemberId member, std::string client_endpoint, std::string data_id,
                      std::uint16_t feature_level);
  void peer_lost(MemberId member);
  void space_changed(Space space);
  void propose(state::Operation operation, state::Stamp stamp, Duration timeout, Proposals::Done done);
  void linearizable_read(Duration timeout, Reads::Ready ready);
  void keep_alive(std::vector<LeaseId> leases, Duration timeout, KeepAlives::Done done);
  void when_leader_known(Duration timeout, LeaderWaiters::Done done);
  void change_membership(raft::Membership target, Duration timeout, MembershipCalls::Changed done);
  void transfer_leadership(MemberId to, Duration timeout, MembershipCalls::Transferred done);
  void stop(Callback<void()> done);

  milliseconds remaining(LeaseId lease) const;
  ClusterTime cluster_time() const;
  std::optional<LeaderInfo> leader() const;
  bool is_stopping() const { return stopping_; }
  bool is_leader() const { return driver_.status().role == raft::Role::kLeader; }
  raft::Status status() const { return driver_.status(); }
  const raft::Membership& membership() const { return driver_.membership(); }
  std::vector<raft::FollowerStatus> followers() const { return driver_.followers(); }
  Held held() const;
  const state::Machine& machine() const { return *machine_; }
  Grants& grants() { return grants_; }
  WatchHub& watches() { return watches_; }

 private:
  // What the driver tells: replica side of the node (node_impl.cc).
  void role_changed(const raft::RoleChanged& change) override;
  void proposals_accepted(raft::Accepted where) override { proposals_.accepted(where); }
  void proposals_refused(const Error& why) override;
  void leadership_confirmed(std::uint64_t id, Index read_index) override;
  void leadership_unconfirmed(std::uint64_t id) override { reads_.unconfirmed(id, not_leader()); }
  void about_to_apply(std::span<const Blob* const> payloads) override { machine_->prefetch(payloads); }
  void apply(const raft::Entry& entry) override;
  void slice_applied() override;
  void log_durable() override { imager_.log_durable(); }
  void membership_changed(const raft::Membership& membership) override;
  void piece_received(MemberId from, raft::InstallSnapshot piece) override;
  void piece_answered(MemberId from, const raft::InstallReply& reply) override;
  void snapshot_needed() override { sender_.run(now(), driver_.followers(), imager_.newest()); }

  state::Reply reply_to(state::Applied applied);
  void stop_applying(const Error& not_understood);
  void publish(const std::vector<state::Event>& events);
  void take_office();
  void leave_office();
  void ends_decided(const std::vector<LeaseId>& leases);

  // Another member's image takes the place of this one's state (node_snapshots.cc).
  void image_received(const raft::Snapshot& snapshot);
  void install(const raft::Snapshot& snapshot);
  void installed(const raft::Snapshot& snapshot, state::Machine& fresh);
  void give_up_install(const Error* why);

  // Membership and disk space (node_membership.cc).
  void look_at_followers();
  void hand_over_for_space();

  /// Runs `ready` once this member is known to have led since the call, and has applied what was committed
  /// then.
  void when_confirmed(Duration timeout, Reads::Ready ready);
  /// The same for a call that is in no hurry. `weight`: see Reads::add_patient().
  void when_confirmed_with_others(Duration timeout, std::size_t weight, Reads::Ready ready);

  /// Encodes and queues. Errors: as Node::propose, without kNotLeader.
  Result<void> enqueue(state::Operation operation, state::Stamp stamp, Instant deadline, bool bounded,
                       Proposals::Done& done);
  void propose_duty(state::Operation operation, Callback<void()> settled);
  void post_flush();
  void flush();
  bool leader_is_silent() const;
  void tell_leader();
  void answer_the_last();
  void finish_stopping();

  /// To be called last, whenever something came in from outside.
  void settle();
  Instant now() const { return ports_.loop.now(); }
  Instant deadline_of(Duration timeout) const;
  bool may_do_duties() const;
  Error not_leader() const;
  static Error stopping_error();
  std::string name_of(MemberId member) const;

  // Constant after construction.
  const Options options_;
  const Ports ports_;

  // Owned by the loop.
  std::unique_ptr<state::Machine> machine_;
  LeaseClock lease_clock_;
  ClusterClock cluster_clock_;
  Proposals proposals_;
  Reads reads_;
  KeepAlives keep_alives_;
  Grants grants_;
  LeaderWaiters leader_waiters_;
  LeaderDuties duties_;
  WatchHub watches_;
  Driver driver_;
  Imager imager_;
  SnapshotSender sender_;
  SnapshotReceiver receiver_;
  MembershipCalls membership_calls_;

  raft::Role role_ = raft::Role::kFollower;
  Term term_;
  MemberId known_leader_;
  Instant leader_heard_ = Instant();
  bool started_ = false;
  bool in_office_ = false;
  bool flush_posted_ = false;
  bool stopping_ = false;
  Space space_;
  Instant hand_over_again_ = kNever;  // while space is low and this member leads
  bool outdated_ = false;             // see Options::outdated
  Callback<void()> stopped_;
  Instant handing_over_until_ = kNever;  // while stopping as a leader
  Instant answering_until_ = kNever;     // then, while the fate of what is in the log is not known
  Instant alarm_ = kNever;
  std::map<MemberId, std::string> reached_;  // where clients reach the connected members, as they say
  Lifetime lifetime_;
};

}  // namespace holdfast::node
