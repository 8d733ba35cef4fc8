#include <algorithm>
#include <utility>

#include "tests/sim/actors.h"
#include "tests/sim/door.h"

namespace holdfast::sim {

Locker::Locker(Surroundings surroundings, Random random, int number)
    : world_(surroundings),
      random_(random.fork()),
      caller_(surroundings, random.fork()),
      name_("locker" + std::to_string(number)),
      ttl_(random_.between(400, 2000)) {
  if (random_.chance(50)) {
    session_.emplace(surroundings, caller_, random.fork(), ttl_);
  } else {
    lease_.emplace(surroundings, caller_, random.fork());
  }
}

void Locker::start() {
  if (session_) session_->start();
  next();
}

void Locker::next() {
  busy_ = false;
  world_.after(milliseconds(random_.between(1, 200)), [this] {
    if (finishing_) return;
    busy_ = true;
    with_lease();
  });
}

void Locker::with_lease() {
  if (lease().id()) return acquire();
  if (session_) return next();
  lease_->grant(ttl_, [this](Result<LeaseId> lease) {
    if (!lease) return next();
    acquire();
  });
}

void Locker::acquire() {
  wish_ = {};
  wish_.lock = "lock" + std::to_string(random_.below(2));
  wish_.lease = lease().id();
  wish_.owner = name_;
  wish_.queue = random_.chance(75);
  if (random_.chance(50)) wish_.wait = milliseconds(random_.between(10, 1500));
  wish_.attempt = ++attempts_;
  Request request{repeat(), milliseconds(random_.between(500, 3000)), true};
  // A waiting call has no time of its own; the client leaves a member that no longer answers.
  request.attempt = milliseconds(random_.between(300, 2000));
  caller_.call<Token>(
      request,
      [wish = wish_](const Attempt& attempt, Callback<void(Result<Token>)> done) {
        acquire_and_wait(attempt, wish, std::move(done));
      },
      [this](Result<Token> token) {
        if (!token) return cancel();
        granted(*token);
      });
}

/// The grant proves that the lease lived then; to be sure of it now, a keepalive may have to say so.
void Locker::granted(Token token) {
  if (lease().id() != wish_.lease) return over(false);
  if (lease().safe()) return hold(token);
  lease().confirm([this, token](bool lives) {
    if (!lives) return over(false);
    granted(token);
  });
}

void Locker::hold(Token token) {
  held_ = token;
  world_.oracle.holder_believes(wish_.lock, token, [this] { return lease().safe(); });
  lease().watch([this, token] {
    if (held_ != token) return;
    let_go();
    over(false);
  });
  lease().insist();
  Duration long_enough = milliseconds(random_.between(1, 400));
  if (random_.chance(8)) {
    // Cut off from the cluster, and slow to notice: when the lock goes to the next, it must know.
    long_enough = 4 * Duration(ttl_);
    lease().cut_off(long_enough);
  }
  world_.after(long_enough, [this, token] {
    if (held_ == token) release(token);
  });
}

void Locker::let_go() {
  world_.oracle.holder_lets_go(held_);
  held_ = {};
}

template <typename Operation>
void Locker::say(Operation operation, Duration total, std::function<void(const state::Reply&)> done) {
  caller_.call<state::ReplyBody>(
      {repeat(), total, true},
      [operation = std::move(operation)](const Attempt& attempt, Callback<void(state::Reply)> answered) {
        attempt.node.propose(operation, attempt.stamp, attempt.timeout, std::move(answered));
      },
      std::move(done));
}

void Locker::release(Token token) {
  let_go();
  say(state::ReleaseLock{wish_.lock, token}, std::chrono::seconds(3), [this](const state::Reply& reply) {
    bool gone = reply || reply.error().code == Errc::kNotHolder;
    if (session_ && !gone) return cancel();
    session_ ? over(gone) : revoke(false);
  });
}

void Locker::cancel() {
  if (lease().id() != wish_.lease) return over(false);
  say(state::CancelAcquire{wish_.lock, wish_.lease, wish_.attempt}, ttl_, [this](const state::Reply& reply) {
    bool acknowledged = reply || reply.error().code == Errc::kLeaseNotFound;
    if (session_ && !acknowledged) return cancel();
    session_ ? over(true) : revoke(acknowledged);
  });
}

void Locker::revoke(bool acknowledged) {
  lease().drop();
  // Now and then it is left to run out.
  if (random_.chance(20)) return over(acknowledged);
  say(state::RevokeLease{wish_.lease}, ttl_, [this, acknowledged](const state::Reply& reply) {
    over(acknowledged || reply || reply.error().code == Errc::kLeaseNotFound);
  });
}

/// Unless a member said so, what it claimed may last as long as its lease.
void Locker::over(bool acknowledged) {
  if (acknowledged || !finishing_) return next();
  world_.after(2 * Duration(ttl_) + std::chrono::seconds(2), [this] { busy_ = false; });
}

}  // namespace holdfast::sim
