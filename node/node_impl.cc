#include "node/node_impl.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/canary.h"
#include "base/check.h"
#include "base/random.h"
#include "raft/quorum.h"

/// The replica's side of a node: what the log brings. The callers' side is node_calls.cc.
namespace holdfast::node {

namespace {

const char* text_of(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return "follower";
    case raft::Role::kPreCandidate:
      return "pre_candidate";
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kLeader:
      return "leader";
  }
  return "unknown";
}

// Enough for members' images to fall apart within a few of them.
constexpr std::size_t kImageSpreadPercent = 25;

SnapshotSender::Options sender_options(const Options& options) {
  SnapshotSender::Options sender;
  sender.piece_bytes = options.snapshot_piece_bytes;
  sender.patience = options.snapshot_patience;
  sender.install_patience = 20 * options.snapshot_patience;
  sender.ask_again = options.raft.election_timeout;
  sender.silence = 2 * options.raft.election_timeout;
  return sender;
}

}  // namespace

Node::Impl::Impl(Options options, Ports ports, raft::Restored restored,
                 std::unique_ptr<state::Machine> machine)
    : options_(std::move(options)),
      ports_(ports),
      machine_(std::move(machine)),
      proposals_([this](const std::vector<LeaseId>& leases) { ends_decided(leases); }, options_.bounds),
      keep_alives_(lease_clock_),
      duties_(
          *machine_, lease_clock_, cluster_clock_,
          [this]() -> const raft::Membership& { return driver_.membership(); },
          [this](state::Operation operation, Callback<void()> settled) {
            propose_duty(std::move(operation), std::move(settled));
          }),
      watches_(*machine_, ports.image_store, ports.loop, options_.bounds),
      driver_(options_.raft, std::move(restored), {ports.loop, ports.log_store, ports.transport}, *this),
      imager_({{options_.image_interval, options_.image_after_bytes, kImageSpreadPercent,
                Random(options_.raft.seed).next()},
               {options_.log_entries_kept, options_.log_bytes_kept},
               options_.image_config_rows,
               options_.history_memory_bytes},
              ports.loop, ports.image_store, *machine_, driver_, ports.logging,
              [this] { return sender_.needed(); }),
      sender_(
          sender_options(options_), ports.snapshot_store, ports.logging,
          [this](Index index) { return driver_.snapshot_at(index); },
          [this](MemberId to, raft::InstallSnapshot piece) { driver_.send(to, std::move(piece)); }),
      receiver_(
          ports.snapshot_store, ports.logging,
          [this](MemberId to, const raft::InstallReply& reply) { driver_.send(to, reply); },
          [this](const raft::Snapshot& snapshot) { image_received(snapshot); }) {
  duties_.member_reached(options_.raft.self, options_.client_endpoint, options_.feature_level);
}

void Node::Impl::start() {
  started_ = true;
  ports_.transport.set_members(driver_.everybody(machine_->applied()), driver_.membership_index());
  settle();
}

void Node::Impl::on_alarm() {
  alarm_ = kNever;
  driver_.tick_if_due();
  proposals_.expire(now());
  reads_.expire(now());
  if (reads_.can_ask(now())) post_flush();
  keep_alives_.expire(now());
  leader_waiters_.expire(now());
  membership_calls_.expire(now());
  if (!stopping_) imager_.run_if_due();
  if (sender_.due() <= now()) look_at_followers();
  if (hand_over_again_ <= now()) hand_over_for_space();
  if (std::min(handing_over_until_, answering_until_) <= now()) finish_stopping();
  settle();
}

void Node::Impl::receive(raft::Message message) {
  if (message.from == known_leader_) leader_heard_ = now();
  driver_.receive(std::move(message));
  tell_leader();
  // An acknowledgement may be what an image was sent for.
  if (sender_.busy()) look_at_followers();
  settle();
}

void Node::Impl::peer_connected(MemberId member, std::string client_endpoint, std::string data_id,
                                std::uint16_t feature_level) {
  reached_[member] = client_endpoint;
  duties_.member_reached(member, std::move(client_endpoint), feature_level);
  driver_.peer_connected(member, std::move(data_id));
  sender_.connected(now(), member);
  tell_leader();
  settle();
}

void Node::Impl::peer_lost(MemberId member) {
  reached_.erase(member);
  duties_.member_lost(member);
  driver_.peer_lost(member);
  settle();
}

void Node::Impl::role_changed(const raft::RoleChanged& change) {
  ports_.logging.write(LogLevel::kInfo, "role",
                       {{"role", text_of(change.role)},
                        {"term", change.term},
                        {"leader", name_of(change.leader)},
                        {"index", driver_.status().last}});
  bool led = role_ == raft::Role::kLeader;
  bool leads = change.role == raft::Role::kLeader;
  if (led && (!leads || change.term != term_)) leave_office();
  role_ = change.role;
  term_ = change.term;
  known_leader_ = change.leader;
  leader_heard_ = now();
  tell_leader();
  if (stopping_ && led && !leads) {
    ports_.loop.post(lifetime_.guard([this] { answer_the_last(); }));
  }
}

void Node::Impl::leadership_confirmed(std::uint64_t id, Index read_index) {
  reads_.confirmed(id, read_index);
  if (in_office_ || HOLDFAST_CANARY(read_before_the_no_op)) reads_.applied(machine_->applied());
  if (reads_.can_ask(now())) post_flush();
}

void Node::Impl::apply(const raft::Entry& entry) {
  if (outdated_) return;
  state::Reply reply = state::Done{};
  if (entry.kind == raft::EntryKind::kCommand) {
    state::Applied applied = machine_->apply(entry.index, entry.payload);
    if (applied.not_understood) return stop_applying(*applied.not_understood);
    reply = reply_to(std::move(applied));
  } else {
    if (entry.membership) {
      machine_->apply_membership(entry.index, raft::all_members(*entry.membership));
    } else {
      machine_->skip(entry.index);
    }
  }
  imager_.applied(entry);
  proposals_.resolve(entry.index, entry.term, std::move(reply));
  membership_calls_.applied(entry);
  if (entry.membership) {
    ports_.transport.set_members(driver_.everybody(entry.index), driver_.membership_index());
    duties_.membership_changed();  // whoever was removed and added again is forgotten by now
  }
  // The first entry of its own term is the no-op: all that earlier leaders committed is applied now.
  if (!in_office_ && role_ == raft::Role::kLeader && entry.term == term_) take_office();
}

void Node::Impl::stop_applying(const Error& not_understood) {
  outdated_ = true;
  ports_.logging.write(LogLevel::kError, "outdated",
                       {{"error", not_understood.message},
                        {"index", machine_->applied().next()},
                        {"feature_level", options_.feature_level}});
  INVARIANT(options_.outdated, "a member that cannot go on has somebody who ends it");
  options_.outdated(not_understood);
}

state::Reply Node::Impl::reply_to(state::Applied applied) {
  if (!applied.events.empty()) publish(applied.events);
  if (in_office_ && applied.fresh && applied.reply) {
    if (const auto* granted = std::get_if<state::LeaseGranted>(&*applied.reply)) {
      lease_clock_.granted(granted->lease, granted->ttl, now());
    }
  }
  return std::move(applied.reply);
}

void Node::Impl::publish(const std::vector<state::Event>& events) {
  watches_.on_events(events);
  for (const state::Event& event : events) {
    if (const auto* change = std::get_if<lock::Change>(&event)) grants_.on_change(*change);
  }
}

void Node::Impl::slice_applied() {
  if (in_office_ || HOLDFAST_CANARY(read_before_the_no_op)) reads_.applied(machine_->applied());
  tell_leader();
  settle();
}

void Node::Impl::take_office() {
  in_office_ = true;
  cluster_clock_.start(machine_->time(), now());
  lease_clock_.start(machine_->leases(), now());
  for (LeaseId lease : proposals_.waiting_ends()) lease_clock_.end_proposed(lease);
  duties_.take_office();
  ports_.logging.write(LogLevel::kInfo, "office", {{"term", term_}, {"index", machine_->applied()}});
  post_flush();
}

void Node::Impl::leave_office() {
  in_office_ = false;
  lease_clock_.stop();
  duties_.leave_office();
  Error error = not_leader();
  reads_.fail_all(error);
  keep_alives_.fail_all(error);
  grants_.fail_all(error);
  proposals_.refused(error);
  sender_.stop();
  membership_calls_.deposed(now() + options_.raft.election_timeout);
  hand_over_again_ = kNever;
  // The next leader decides them, soon if it can; nobody should wait for that as long as for an answer.
  proposals_.shorten(now() + options_.raft.election_timeout);
}

void Node::Impl::ends_decided(const std::vector<LeaseId>& leases) {
  if (!lease_clock_.counting()) return;
  for (LeaseId lease : leases) {
    lease_clock_.end_decided(lease, machine_->leases());
    if (!machine_->leases().is_live(lease)) {
      ports_.logging.write(LogLevel::kDebug, "lease_ended", {{"lease", lease}, {"term", term_}});
    }
    keep_alives_.end_decided(lease, now());
  }
}

void Node::Impl::settle() {
  if (!started_) return;
  membership_calls_.look(driver_.status());
  if (may_do_duties()) duties_.run(now());
  if (answering_until_ != kNever && !proposals_.anybody_waits()) finish_stopping();
  Instant due = driver_.deadline();
  for (Instant other :
       {proposals_.due(), reads_.due(), keep_alives_.due(), leader_waiters_.due(), membership_calls_.due(),
        sender_.due(), hand_over_again_, handing_over_until_, answering_until_,
        stopping_ ? kNever : imager_.due(), may_do_duties() ? duties_.due() : kNever}) {
    due = std::min(due, other);
  }
  // A deadline that moved further away is met by the alarm that is already set, and set anew then.
  if (due >= alarm_) return;
  alarm_ = due;
  ports_.loop.set_alarm(due);
}

void Node::Impl::proposals_refused(const Error& why) {
  // The core does not know who leads by name.
  proposals_.refused(why.code == Errc::kNotLeader ? not_leader() : why);
}

bool Node::Impl::may_do_duties() const {
  return in_office_ && !stopping_ && !space_.low && !driver_.status().transferring;
}

std::string Node::Impl::name_of(MemberId member) const {
  const raft::Member* known = raft::find_member(driver_.membership(), member);
  return known ? known->name : std::string();
}

}  // namespace holdfast::node
