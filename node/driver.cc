#include "node/driver.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "base/canary.h"
#include "raft/quorum.h"

namespace holdfast::node {

// Enough to fetch memory for all of them while one waits for it, and not more than the processor keeps.
constexpr std::size_t kToldTogether = 16;

Driver::Driver(const raft::Options& options, raft::Restored restored, Ports ports, DriverListener& listener)
    : self_(options.self),
      ports_(ports),
      listener_(listener),
      core_(options, std::move(restored), ports.loop.now()) {}

/// The order that is safe:
///   1. `send` leaves at once: a leader's entries travel while its own copy is still being written.
///   2. `persist` goes to the store. Only when it is durable does `then_send` leave (votes,
///   acknowledgements),
///      and only then does the core count it.
///   3. What is committed takes its place in the queue before anybody is told anything: whoever is told may
///      step the core again, and what that commits comes later.
///   4. A change of role is told before anything is applied: what a deposed leader applies must not look as
///   if
///      it led.
///   5. Answers to "do I still lead" come before the entries that they wait for.
///   6. Committed entries are applied in slices; none waits for the own disk unless an image is due. Those
///      that come along with something to persist, as a follower's do, let the disk begin with that first.
///   7. Images that travel come last: they only ever lead to further inputs.
void Driver::carry_out(raft::Output output) {
  for (raft::Message& message : output.send) ports_.transport.send(std::move(message));
  const bool persists = output.persist.has_value();
  if (persists) persist(std::move(*output.persist));
  std::move(output.committed.begin(), output.committed.end(), std::back_inserter(committed_));
  if (output.membership_changed) listener_.membership_changed(*output.membership_changed);
  if (output.role_changed) listener_.role_changed(*output.role_changed);
  for (const raft::Confirmed& answer : output.confirmed) {
    listener_.leadership_confirmed(answer.id, answer.read_index);
  }
  for (std::uint64_t id : output.unconfirmed) listener_.leadership_unconfirmed(id);
  if (persists) {
    post_slice(&Loop::at_end_of_turn);
  } else if (!slice_posted_) {
    apply_slice();
  }
  for (raft::SnapshotChunk& chunk : output.snapshot_chunks) {
    listener_.piece_received(chunk.from, std::move(chunk.piece));
  }
  for (const raft::SnapshotReply& answer : output.snapshot_replies) {
    listener_.piece_answered(answer.from, answer.reply);
  }
  if (!output.need_snapshot.empty()) listener_.snapshot_needed();
}

void Driver::persist(raft::Persist persist) {
  ports_.log_store.write(std::move(persist.hard_state), std::move(persist.entries),
                         lifetime_.guard([this, sequence = persist.sequence,
                                          then_send = std::move(persist.then_send)]() mutable {
                           for (raft::Message& message : then_send) ports_.transport.send(std::move(message));
                           carry_out(step(raft::Persisted{sequence}));
                           listener_.log_durable();
                         }));
}

void Driver::apply_slice() {
  if (applying_) return;
  applying_ = true;
  std::size_t applied = 0;
  for (; applied < kApplySlice && may_apply_next(); ++applied) {
    if (applied % kToldTogether == 0) tell_of_next();
    raft::Entry entry = std::move(committed_.front());
    committed_.pop_front();
    listener_.apply(entry);
  }
  applying_ = false;
  if (applied > 0) listener_.slice_applied();
  post_slice();
}

void Driver::tell_of_next() {
  std::array<const Blob*, kToldTogether> payloads;
  const std::size_t count = std::min(payloads.size(), committed_.size());
  for (std::size_t i = 0; i < count; ++i) payloads[i] = &committed_[i].payload;
  if (count > 1) listener_.about_to_apply(std::span(payloads).first(count));
}

void Driver::post_slice(void (Loop::*later)(Callback<void()>)) {
  if (!may_apply_next() || slice_posted_) return;
  slice_posted_ = true;
  (ports_.loop.*later)(lifetime_.guard([this] {
    slice_posted_ = false;
    apply_slice();
  }));
}

bool Driver::may_apply_next() const {
  return !held_ && !committed_.empty() &&
         (!only_durable_ || committed_.front().index <= core_.status().durable);
}

raft::Output Driver::step(raft::Input input) { return core_.step(ports_.loop.now(), std::move(input)); }

void Driver::tick_if_due() {
  if (core_.deadline() <= ports_.loop.now()) carry_out(step(raft::Tick{}));
}

void Driver::receive(raft::Message message) {
  const auto* append = std::get_if<raft::AppendEntries>(&message.body);
  if (no_entries_ && append && !append->entries.empty() && !HOLDFAST_CANARY(low_space_takes_entries)) return;
  // Whoever takes no entries had better not lead.
  if (no_entries_ && std::holds_alternative<raft::TimeoutNow>(message.body)) return;
  carry_out(step(raft::Receive{std::move(message)}));
}

void Driver::propose(std::vector<Blob> commands) {
  raft::Output output = step(raft::Propose{std::move(commands)});
  // Told first: what this step commits, a cluster of one does, is to find them where they went.
  if (output.accepted) listener_.proposals_accepted(*output.accepted);
  const std::optional<Error> refused = output.refused;
  carry_out(std::move(output));
  if (refused) listener_.proposals_refused(*refused);
}

void Driver::confirm_leadership(std::uint64_t id) { carry_out(step(raft::ConfirmLeadership{id})); }

Result<void> Driver::transfer_leadership(MemberId to) {
  raft::Output output = step(raft::TransferLeadership{to});
  std::optional<Error> refused = std::move(output.refused);
  carry_out(std::move(output));
  if (refused) return fail(*std::move(refused));
  return {};
}

Result<raft::Accepted> Driver::change_membership(raft::Membership target) {
  raft::Output output = step(raft::ChangeMembership{std::move(target)});
  std::optional<Error> refused = std::move(output.refused);
  const std::optional<raft::Accepted> accepted = output.accepted;
  carry_out(std::move(output));
  if (!accepted) return fail(*std::move(refused));
  return *accepted;
}

void Driver::peer_connected(MemberId member, std::string data_id) {
  carry_out(step(raft::PeerConnected{member, std::move(data_id)}));
}

void Driver::peer_lost(MemberId member) { carry_out(step(raft::PeerLost{member})); }

void Driver::compact(Index through) {
  const std::optional<raft::Snapshot> base = snapshot_at(through);
  if (!base) return;
  carry_out(step(raft::Compact{through}));
  ports_.log_store.compact(through, base->term, base->membership);
}

std::optional<raft::Snapshot> Driver::snapshot_at(Index index) const {
  const std::optional<Term> term = core_.term_at(index);
  if (!term) return std::nullopt;
  return raft::Snapshot{index, *term, *core_.membership_at(index)};
}

raft::Membership Driver::everybody(Index applied) const {
  raft::Membership all = core_.membership();
  if (core_.membership_index() <= applied) return all;
  const auto before = core_.membership_at(applied);
  for (const MemberId id : raft::all_members(*before)) {
    if (!raft::is_member(all, id)) all.learners.push_back(*raft::find_member(*before, id));
  }
  return all;
}

bool Driver::begin_install(const raft::Snapshot& snapshot) {
  raft::Output output = step(raft::BeginInstall{snapshot});
  const bool may = output.may_install;
  carry_out(std::move(output));
  return may;
}

void Driver::abandon_install() { carry_out(step(raft::InstallAbandoned{})); }

void Driver::installed(raft::Snapshot snapshot) {
  while (!committed_.empty() && committed_.front().index <= snapshot.index) committed_.pop_front();
  carry_out(step(raft::Installed{std::move(snapshot)}));
}

void Driver::send(MemberId to, raft::Body body) {
  ports_.transport.send({self_, to, core_.status().term, std::move(body)});
}

void Driver::hold_applying(bool on) {
  held_ = on;
  post_slice();
}

void Driver::apply_only_durable(bool on) {
  only_durable_ = on;
  post_slice();
}

}  // namespace holdfast::node
