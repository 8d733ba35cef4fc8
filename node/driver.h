#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "node/lifetime.h"
#include "node/ports/log_store.h"
#include "node/ports/loop.h"
#include "node/ports/transport.h"
#include "raft/core.h"

/// Feeds the raft core and does what it says, in the one order that is safe: see Driver::carry_out().
namespace holdfast::node {

/// What the driver tells of; all of it on the loop, never from within the driver's own step.
class DriverListener {
 public:
  virtual ~DriverListener() = default;
  virtual void role_changed(const raft::RoleChanged& change) = 0;
  virtual void proposals_accepted(raft::Accepted where) = 0;
  virtual void proposals_refused(const Error& why) = 0;
  virtual void leadership_confirmed(std::uint64_t id, Index read_index) = 0;
  virtual void leadership_unconfirmed(std::uint64_t id) = 0;
  /// The payloads of some entries that are applied next, of whatever kind.
  virtual void about_to_apply(std::span<const Blob* const> payloads) = 0;
  /// A committed entry, in order, each exactly once.
  virtual void apply(const raft::Entry& entry) = 0;
  /// Some entries were applied; others may be left for later turns.
  virtual void slice_applied() = 0;
  /// More of the own log is durable.
  virtual void log_durable() = 0;
  /// Another membership is in force.
  virtual void membership_changed(const raft::Membership& membership) = 0;
  /// From the leader: of an image that this member needs.
  virtual void piece_received(MemberId from, raft::InstallSnapshot piece) = 0;
  /// From a follower that this leader sends an image.
  virtual void piece_answered(MemberId from, const raft::InstallReply& reply) = 0;
  /// More followers need an image.
  virtual void snapshot_needed() = 0;
};

class Driver {
 public:
  struct Ports {
    Loop& loop;
    LogStore& log_store;
    Transport& transport;
  };
  /// Entries applied in one turn of the loop, so that heartbeats never wait long.
  static constexpr std::size_t kApplySlice = 512;

  Driver(const raft::Options& options, raft::Restored restored, Ports ports, DriverListener& listener);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Inputs of the core, see raft/core.h.
  void tick_if_due();
  void receive(raft::Message message);
  /// Answered by proposals_accepted() or proposals_refused() before it returns.
  void propose(std::vector<Blob> commands);
  void confirm_leadership(std::uint64_t id);
  /// To the best voter, if `to` is none. Errors: of the core.
  Result<void> transfer_leadership(MemberId to = {});
  /// Errors: of the core.
  Result<raft::Accepted> change_membership(raft::Membership target);
  void peer_connected(MemberId member, std::string data_id);
  void peer_lost(MemberId member);
  /// Also tells the log store. Does nothing if it was compacted further already.
  void compact(Index through);

  /// While on, only entries that are durable in the own log are applied: an image waits for that.
  void apply_only_durable(bool on);
  /// While on, nothing is applied: the machine is about to be another.
  void hold_applying(bool on);

  // An image from the leader, see raft::BeginInstall.
  bool begin_install(const raft::Snapshot& snapshot);
  void abandon_install();
  /// It is durable, and the machine is the one in it: what was to be applied up to there is in it.
  void installed(raft::Snapshot snapshot);

  /// To a follower, or to the leader, in the current term.
  void send(MemberId to, raft::Body body);
  /// While on, entries of others are not taken: they are lost on their way, as far as the core knows.
  void take_no_entries(bool on) { no_entries_ = on; }

  raft::Status status() const { return core_.status(); }
  const raft::Membership& membership() const { return core_.membership(); }
  /// In force, or still so as far as what is applied goes: whoever is removed is to hear of it.
  raft::Membership everybody(Index applied) const;
  /// Of the entry that the membership in force comes from.
  Index membership_index() const { return core_.membership_index(); }
  std::vector<raft::FollowerStatus> followers() const { return core_.followers(); }
  /// What an image at that index stands for; nothing if it lies below the log.
  std::optional<raft::Snapshot> snapshot_at(Index index) const;
  Index held_by_all() const { return core_.held_by_all(); }
  Instant deadline() const { return core_.deadline(); }

 private:
  raft::Output step(raft::Input input);
  void carry_out(raft::Output output);
  void persist(raft::Persist persist);
  void apply_slice();
  void tell_of_next();
  void post_slice(void (Loop::*later)(Callback<void()>) = &Loop::post);
  bool may_apply_next() const;

  // Constant after construction.
  const MemberId self_;
  Ports ports_;
  DriverListener& listener_;

  // Owned by the loop.
  raft::Core core_;
  std::deque<raft::Entry> committed_;  // not yet applied
  bool only_durable_ = false;
  bool held_ = false;
  bool no_entries_ = false;
  bool applying_ = false;
  bool slice_posted_ = false;
  Lifetime lifetime_;
};

}  // namespace holdfast::node
