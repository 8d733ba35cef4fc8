#include <algorithm>
#include <utility>
#include <variant>

#include "base/canary.h"
#include "base/limits.h"
#include "node/node_impl.h"

/// The callers' side of a node. The replica's side is node_impl.cc.
namespace holdfast::node {

namespace {

// Before a duty that was refused is proposed again.
constexpr milliseconds kDutyPause{10};

// What a leader that lives may miss on a busy machine.
constexpr int kSilentHeartbeats = 3;

Error no_space() {
  return {Errc::kDiskFull,
          "this member is short of disk space and takes no writes until there is more; reads go on",
          {}};
}

/// The leases that an operation ends: until that is decided, they must not be renewed.
std::vector<LeaseId> ends_of(const state::Operation& operation) {
  if (const auto* revoke = std::get_if<state::RevokeLease>(&operation)) return {revoke->lease};
  if (const auto* end = std::get_if<state::EndLeases>(&operation)) return end->leases;
  return {};
}

}  // namespace

Error Node::Impl::stopping_error() {
  return {Errc::kStopping, "this member is stopping; ask another one", {}};
}

void Node::Impl::propose(state::Operation operation, state::Stamp stamp, Duration timeout,
                         Proposals::Done done) {
  if (stopping_) return done(fail(stopping_error()));
  if (!is_leader()) return done(fail(not_leader()));
  if (space_.low && !HOLDFAST_CANARY(low_space_takes_writes)) return done(fail(no_space()));
  Result<void> queued = enqueue(std::move(operation), stamp, deadline_of(timeout), true, done);
  if (!queued) return done(fail(queued.error()));
  settle();
}

Result<void> Node::Impl::enqueue(state::Operation operation, state::Stamp stamp, Instant deadline,
                                 bool bounded, Proposals::Done& done) {
  if (auto allowed = state::check_level(state::level_of(operation), machine_->feature_level()); !allowed) {
    return allowed;
  }
  std::vector<LeaseId> ends = ends_of(operation);
  Result<Blob> command = state::encode({stamp, cluster_time(), std::move(operation)});
  if (!command) return fail(command.error());
  if (bounded) {
    if (Result<void> room = proposals_.has_room(command->size()); !room) return room;
  }
  // Out of office they are told when the clock starts.
  if (in_office_) {
    for (LeaseId lease : ends) lease_clock_.end_proposed(lease);
  }
  proposals_.add(std::move(*command), deadline, std::move(ends), std::move(done), bounded);
  post_flush();
  return {};
}

void Node::Impl::propose_duty(state::Operation operation, Callback<void()> settled) {
  Proposals::Done done = [this, settled = std::move(settled)](const state::Reply& reply) mutable {
    // Too much waits to be committed: the loop must not spin until there is room.
    if (!reply && reply.error().code == Errc::kOverloaded) duties_.pause_until(now() + kDutyPause);
    settled();
  };
  Result<void> queued = enqueue(std::move(operation), state::Stamp(), kNever, false, done);
  INVARIANT(queued, "what a leader proposes itself is bounded in batches that fit an entry");
}

void Node::Impl::linearizable_read(Duration timeout, Reads::Ready ready) {
  if (HOLDFAST_CANARY(read_without_asking) && in_office_) return ready({});
  when_confirmed(timeout, std::move(ready));
}

void Node::Impl::when_confirmed(Duration timeout, Reads::Ready ready) {
  if (stopping_) return ready(fail(stopping_error()));
  if (!is_leader()) return ready(fail(not_leader()));
  reads_.add(deadline_of(timeout), std::move(ready));
  post_flush();
  settle();
}

void Node::Impl::when_confirmed_with_others(Duration timeout, std::size_t weight, Reads::Ready ready) {
  if (stopping_) return ready(fail(stopping_error()));
  if (!is_leader()) return ready(fail(not_leader()));
  reads_.add_patient(deadline_of(timeout), weight, std::move(ready));
  if (reads_.can_ask(now())) post_flush();
  settle();
}

void Node::Impl::keep_alive(std::vector<LeaseId> leases, Duration timeout, KeepAlives::Done done) {
  Instant deadline = deadline_of(timeout);
  if (HOLDFAST_CANARY(keepalive_before_the_no_op) && is_leader() && !in_office_) {
    // As counted from its election on, by the leases that it knows of.
    lease_clock_.start(machine_->leases(), now());
    return keep_alives_.renew(std::move(leases), deadline, now(), std::move(done));
  }
  const std::size_t weight = leases.size();
  auto ready = [this, leases = std::move(leases), deadline,
                done = std::move(done)](Result<void> confirmed) mutable {
    if (!confirmed) return done(fail(confirmed.error()));
    keep_alives_.renew(std::move(leases), deadline, now(), std::move(done));
  };
  if (HOLDFAST_CANARY(keepalive_without_asking) && in_office_) return ready({});
  when_confirmed_with_others(timeout, weight, std::move(ready));
}

void Node::Impl::post_flush() {
  if (flush_posted_) return;
  flush_posted_ = true;
  ports_.loop.post(lifetime_.guard([this] {
    flush_posted_ = false;
    flush();
    settle();
  }));
}

/// What one turn of the loop gathered goes out as one proposal and one question.
void Node::Impl::flush() {
  if (in_office_ && proposals_.any_waiting()) driver_.propose(proposals_.take_waiting());
  if (reads_.can_ask(now())) driver_.confirm_leadership(reads_.ask(now()));
}

void Node::Impl::when_leader_known(Duration timeout, LeaderWaiters::Done done) {
  if (stopping_) return done(fail(stopping_error()));
  leader_waiters_.add(deadline_of(timeout), std::move(done));
  tell_leader();
  settle();
}

/// It may only be slow, and elections wait longer; but what is passed on to it now may wait for nothing, and
/// then its caller cannot know what became of it. Whoever waits here learns of the next leader at once.
bool Node::Impl::leader_is_silent() const {
  return known_leader_ != options_.raft.self &&
         now() - leader_heard_ > kSilentHeartbeats * options_.raft.heartbeat_interval;
}

void Node::Impl::tell_leader() {
  if (leader_waiters_.empty() || leader_is_silent()) return;
  std::optional<LeaderInfo> known = leader();
  if (known && !known->client_endpoint.empty()) leader_waiters_.tell(*known);
}

std::optional<LeaderInfo> Node::Impl::leader() const {
  MemberId id = driver_.status().leader;
  if (!id) return std::nullopt;
  LeaderInfo info{id, name_of(id), {}};
  auto reached = reached_.find(id);
  auto announced = machine_->members().find(id);
  if (id == options_.raft.self) {
    info.client_endpoint = options_.client_endpoint;
  } else if (reached != reached_.end() && !reached->second.empty()) {
    info.client_endpoint = reached->second;
  } else if (announced != machine_->members().end()) {
    info.client_endpoint = announced->second.client_endpoint;
  }
  return info;
}

milliseconds Node::Impl::remaining(LeaseId lease) const {
  if (lease_clock_.counting()) return lease_clock_.remaining(lease, now());
  const lease::Lease* known = machine_->leases().find(lease);
  return known && !known->ending ? known->ttl : milliseconds(0);
}

ClusterTime Node::Impl::cluster_time() const {
  return in_office_ ? cluster_clock_.at(now()) : machine_->time();
}

void Node::Impl::stop(Callback<void()> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  bool handing_over = is_leader() && driver_.membership().voters.size() > 1;
  if (handing_over) {
    handing_over_until_ = now() + options_.raft.election_timeout;
    // Refused if it is handed over already: then that is waited for.
    Result<void> begun = driver_.transfer_leadership();
    handing_over = begun || driver_.status().transferring;
  }
  if (!handing_over) return answer_the_last();
  settle();
}

/// Leads no more, or never did: what is in the log is decided by the others, within moments if they can.
void Node::Impl::answer_the_last() {
  handing_over_until_ = kNever;
  answering_until_ = now() + options_.raft.election_timeout;
  Error error = stopping_error();
  proposals_.refused(error);
  reads_.fail_all(error);
  keep_alives_.fail_all(error);
  grants_.fail_all(error);
  leader_waiters_.fail_all(error);
  if (!started_) return finish_stopping();
  settle();
}

void Node::Impl::finish_stopping() {
  handing_over_until_ = kNever;
  answering_until_ = kNever;
  if (!stopped_) return;
  Error error = stopping_error();
  proposals_.give_up(error, {Errc::kUnknown, "this member is stopping; it may take effect yet", {}});
  reads_.fail_all(error);
  keep_alives_.fail_all(error);
  grants_.fail_all(error);
  leader_waiters_.fail_all(error);
  membership_calls_.fail_all(error);
  imager_.finish(std::exchange(stopped_, {}));
}

Instant Node::Impl::deadline_of(Duration timeout) const {
  return now() + std::min<Duration>(timeout, limits::kMaxCallTimeout);
}

Held Node::Impl::held() const {
  Held held;
  proposals_.count(held);
  watches_.count(held);
  return held;
}

Error Node::Impl::not_leader() const {
  std::optional<LeaderInfo> known = leader();
  if (!known || known->id == options_.raft.self) {
    return {Errc::kNotLeader, "this member does not lead, and knows of no leader yet", {}};
  }
  return {Errc::kNotLeader, "this member does not lead; '" + known->name + "' does", {}};
}

}  // namespace holdfast::node
