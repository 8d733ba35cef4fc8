#include "raft/core.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "base/canary.h"
#include "base/check.h"
#include "raft/data_ids.h"
#include "raft/election.h"
#include "raft/membership_change.h"
#include "raft/outbox.h"
#include "raft/overloaded.h"
#include "raft/read_index.h"
#include "raft/receive.h"
#include "raft/replica.h"
#include "raft/replication.h"
#include "raft/role.h"
#include "raft/snapshot.h"
#include "raft/tick.h"
#include "raft/transfer.h"

namespace holdfast::raft {

namespace {

std::optional<Error> why_no_proposal(const Replica& replica, const std::vector<Blob>& commands) {
  const Leader* leader = replica.leading();
  if (!leader) return Error{Errc::kNotLeader, "only the leader takes writes"};
  if (leader->transfer) return Error{Errc::kUnavailable, "leadership is being handed over: try again"};
  std::size_t bytes = leader->uncommitted_bytes;
  for (const Blob& command : commands) bytes += command.size();
  // Whatever its size, one proposal at a time always goes through.
  if (leader->uncommitted_bytes > 0 && bytes > replica.options.max_uncommitted_bytes &&
      !HOLDFAST_CANARY(take_whatever_is_proposed))
    return Error{Errc::kOverloaded,
                 std::to_string(leader->uncommitted_bytes) + " bytes wait to be replicated, at most " +
                     std::to_string(replica.options.max_uncommitted_bytes) + " may: try again later"};
  return std::nullopt;
}

void propose(Replica& replica, std::vector<Blob> commands) {
  if (commands.empty()) return;
  replica.output.refused = why_no_proposal(replica, commands);
  if (replica.output.refused) return;
  replica.output.accepted = Accepted{replica.log.last_index().next(), replica.hard_state.term};
  for (Blob& command : commands)
    append_as_leader(replica, {replica.hard_state.term, replica.log.last_index().next(), EntryKind::kCommand,
                               std::move(command)});
}

void persisted(Replica& replica, std::uint64_t sequence) {
  replica.persistence.persisted(sequence);
  record_own_vote(replica);
  if (!replica.is_leader()) return;
  advance_commit(replica);
  advance_held_by_all(replica);
}

void confirm_leadership(Replica& replica, std::uint64_t id) {
  if (Leader* leader = replica.leading())
    leader->reads.ask(id);
  else
    replica.output.unconfirmed.push_back(id);
}

/// Never past what the driver was given: those entries it still has to apply. Nor while an image is about to
/// take the log's place.
void compact(Replica& replica, Index through) {
  if (!replica.installing) replica.log.compact(std::min(through, replica.handed_out));
}

void dispatch(Replica& replica, Input input) {
  std::visit(Overloaded{
                 [&](Tick) { tick(replica); },
                 [&](Receive& in) { receive(replica, in.message); },
                 [&](Propose& in) { propose(replica, std::move(in.commands)); },
                 [&](Persisted in) { persisted(replica, in.sequence); },
                 [&](ConfirmLeadership in) { confirm_leadership(replica, in.id); },
                 [&](TransferLeadership in) { begin_transfer(replica, in.to); },
                 [&](Compact in) { compact(replica, in.through); },
                 [&](ChangeMembership& in) { change_membership(replica, std::move(in.target)); },
                 [&](PeerConnected& in) {
                   peer_connected(replica, in.member, in.data_id);
                   look_for_leader(replica);
                 },
                 [&](PeerLost in) {
                   peer_lost(replica, in.member);
                   suspect(replica, in.member);
                 },
                 [&](BeginInstall& in) { begin_install(replica, std::move(in.snapshot)); },
                 [&](Installed& in) { installed(replica, in.snapshot); },
                 [&](InstallAbandoned) { install_abandoned(replica); },
             },
             input);
}

/// Whatever the input was, it may have opened the way for any of these.
void lead_on(Replica& replica) {
  // Nothing is appended during a hand-over, or its target would not be the one that has everything. Whoever
  // leads next does these as well.
  if (!replica.leading()->transfer) {
    record_data_ids(replica);
    leave_joint(replica);
  }
  advance_reads(replica);
  send_what_is_due(replica);
  forget_removed(replica);
  advance_transfer(replica);
}

auto observed(const Replica& replica) {
  return std::tuple(role_of(replica), replica.hard_state.term, replica.leader);
}

}  // namespace

Core::Core(const Options& options, Restored restored, Instant now)
    : replica_(std::make_unique<Replica>(options, std::move(restored), now)) {}

Core::~Core() = default;

Output Core::step(Instant now, Input input) {
  Replica& replica = *replica_;
  INVARIANT(now >= replica.now, "time went back");
  replica.now = now;
  const auto before = observed(replica);
  const auto membership_before = replica.log.memberships().in_force();
  dispatch(replica, std::move(input));
  if (replica.is_leader()) lead_on(replica);
  if (observed(replica) != before)
    replica.output.role_changed = RoleChanged{role_of(replica), replica.hard_state.term, replica.leader};
  const auto& membership = replica.log.memberships().in_force();
  if (membership != membership_before && *membership != *membership_before)
    replica.output.membership_changed = membership;
  return finish(replica);
}

Instant Core::deadline() const { return next_tick(*replica_); }

Status Core::status() const {
  Status status;
  status.role = role_of(*replica_);
  status.term = replica_->hard_state.term;
  status.leader = replica_->leader;
  status.commit = replica_->commit;
  status.last = replica_->log.last_index();
  status.durable = replica_->persistence.durable();
  if (const Leader* leader = replica_->leading()) {
    status.own_term_committed = own_term_committed(*replica_);
    status.transferring = leader->transfer.has_value();
  }
  return status;
}

std::vector<FollowerStatus> Core::followers() const {
  std::vector<FollowerStatus> all;
  const Leader* leader = replica_->leading();
  if (!leader) return all;
  for (const MemberId id : all_members(replica_->membership())) {
    if (id == replica_->options.self) continue;
    const Progress& progress = leader->followers.at(id);
    all.push_back({id, progress.pace(), progress.match(), progress.next(), progress.in_flight(),
                   progress.bytes_in_flight(), progress.last_heard});
  }
  return all;
}

const Membership& Core::membership() const { return replica_->membership(); }

std::optional<Term> Core::term_at(Index index) const { return replica_->log.term_at(index); }

Index Core::membership_index() const { return replica_->log.membership_index(); }

std::shared_ptr<const Membership> Core::membership_at(Index index) const {
  return replica_->log.memberships().at(index);
}

const std::optional<Snapshot>& Core::installing() const { return replica_->installing; }

Index Core::held_by_all() const { return replica_->held_by_all; }

}  // namespace holdfast::raft
