#include "tests/sim/session.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace holdfast::sim {

namespace {

constexpr Duration kNodeTimeout = milliseconds(800);

/// Counted from when the attempt arrived: more than a client may count on.
struct Kept {
  Instant arrived;
  milliseconds ttl{0};
};

}  // namespace

Session::Session(Surroundings surroundings, Random random, milliseconds ttl)
    : world_(surroundings),
      caller_(surroundings, random.fork()),
      keeper_(surroundings, random.fork()),
      ttl_(ttl) {}

void Session::open() { grant(); }

void Session::grant() {
  if (!wanted_) return;
  Instant sent = world_.schedule.now();
  // Repeating it may leave a lease that nobody keeps; it runs out.
  caller_.call<state::ReplyBody>(
      [this](node::Node& node, Callback<void(state::Reply)> done) {
        node.propose(state::GrantLease{ttl_}, {}, kNodeTimeout, std::move(done));
      },
      true, std::chrono::seconds(2),
      [this, sent](Outcome<state::ReplyBody> outcome) {
        if (!outcome.result) return grant();
        const auto& granted = std::get<state::LeaseGranted>(*outcome.result);
        lease_ = granted.lease;
        sequence_ = 0;
        // Several attempts may have been made; the lease is no older than the first.
        safe_until_ = sent + ttl_;
        world_.oracle.lease_acknowledged(lease_, safe_until_);
        keep_alive(lease_);
      });
}

void Session::keep_alive(LeaseId lease) {
  world_.schedule.after(ttl_ / 3, [this, lease] {
    if (!wanted_ || lease != lease_) return;
    keeper_.call<Kept>(
        [lease, this](node::Node& node, Callback<void(Result<Kept>)> done) {
          node.keep_alive({lease}, kNodeTimeout,
                          [arrived = world_.schedule.now(),
                           done = std::move(done)](Result<std::vector<node::KeptAlive>> kept) mutable {
                            if (!kept) return done(fail(kept.error()));
                            done(Kept{arrived, kept->front().ttl});
                          });
        },
        true, ttl_,
        [this, lease](Outcome<Kept> outcome) {
          if (lease != lease_) return;
          if (outcome.result && outcome.result->ttl.count() == 0) return lost(lease);
          if (outcome.result) {
            safe_until_ = std::max(safe_until_, outcome.result->arrived + ttl_);
            world_.oracle.lease_acknowledged(lease, safe_until_);
          }
          keep_alive(lease);
        });
  });
}

void Session::lost(LeaseId lease) {
  if (lease != lease_) return;
  lease_ = LeaseId();
  grant();
}

state::Stamp Session::next_stamp() {
  ++sequence_;
  return {lease_, sequence_, sequence_};
}

void Session::propose(state::Operation operation, Duration total, Done done) {
  state::Stamp stamp = next_stamp();
  caller_.call<state::ReplyBody>(
      [this, operation = std::move(operation), stamp](node::Node& node,
                                                      Callback<void(state::Reply)> answered) {
        node.propose(operation, world_.careless ? next_stamp() : stamp, kNodeTimeout, std::move(answered));
      },
      true, total,
      [this, stamp, done = std::move(done)](Outcome<state::ReplyBody> outcome) {
        if (!outcome.result && outcome.result.error().code == Errc::kLeaseNotFound) lost(stamp.session);
        done(std::move(outcome));
      });
}

void acquire_and_wait(node::Node& node, const lock::Acquire& acquire, state::Stamp stamp,
                      Callback<void(Result<Token>)> done) {
  auto answered = [&node, acquire, done = std::move(done)](state::Reply reply) mutable {
    if (!reply) return done(fail(reply.error()));
    // The answer may come from the session's memory: what counts is how things are now.
    const lock::Lock* lock = node.machine().locks().find(acquire.lock);
    if (lock) {
      for (const auto& [token, holder] : lock->holders) {
        if (holder.lease == acquire.lease && holder.attempt == acquire.attempt) return done(token);
      }
      for (const auto& [ticket, waiter] : lock->queue.waiters()) {
        if (waiter.lease != acquire.lease || waiter.attempt != acquire.attempt) continue;
        node.grants().await(acquire.lock, acquire.lease, acquire.attempt,
                            [done = std::move(done)](Result<node::Grant> grant) mutable {
                              if (!grant) return done(fail(grant.error()));
                              done(grant->token);
                            });
        return;
      }
    }
    done(fail(Errc::kCancelled, "the claim is gone"));
  };
  node.propose(acquire, stamp, kNodeTimeout, std::move(answered));
}

}  // namespace holdfast::sim
