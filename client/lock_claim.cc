#include "client/lock_claim.h"

#include <kj/timer.h>

#include <algorithm>
#include <utility>

#include "client/clock.h"
#include "client/errors.h"
#include "client/requests.h"
#include "client/wire.h"

namespace holdfast::sdk {

namespace {
using session::Decision;
using session::Outcome;
using session::Repeat;

/// The service ends a wait by the cluster's time, which may run behind; the client adds this and ends it
/// itself.
constexpr milliseconds kGrace{500};
constexpr milliseconds kBeforeNewLease{50};

}  // namespace

LockClaim::LockClaim(Engine& engine, std::uint64_t number, std::string name, client::LockOptions options)
    : engine_(engine),
      number_(number),
      name_(std::move(name)),
      options_(std::move(options)),
      deadline_(!options_.queue ? engine.call_deadline()
                : options_.wait ? now() + *options_.wait
                                : kNever) {}

kj::Promise<Result<HeldLock>> LockClaim::acquire() {
  auto cancelled = kj::newPromiseAndFulfiller<void>();
  cancelled_ = kj::mv(cancelled.fulfiller);
  auto given_up = cancelled.promise.then(
      [this]() { return Held(fail(named(Errc::kCancelled, "the wait was given up"))); });
  return with_new_lease().exclusiveJoin(kj::mv(given_up)).then([this](Held held) {
    if (!held) {
      abandon();
    }
    return held;
  });
}

kj::Promise<Result<HeldLock>> LockClaim::with_new_lease() {
  Instant start = now();
  return grant_lease(engine_.caller(), named(Errc::kUnavailable, "a lease").message, options_.ttl,
                     engine_.call_deadline())
      .then([this, start](Result<Granted> granted) -> kj::Promise<Held> {
        if (!granted) {
          // A lease that nobody knows of holds no lock: nothing happened.
          Error& error = granted.error();
          error.code = is_unknown(error.code) ? Errc::kUnavailable : error.code;
          return Held(fail(std::move(error)));
        }
        lease_ = granted->lease;
        asked_ = false;
        trouble_.reset();
        lease_state_ = std::make_shared<LeaseState>(lease_, session::SafeUntil(granted->ttl, start).until());
        engine_.keeper().keep(lease_, granted->ttl, start, lease_state_,
                              [this](Error why) { lease_lost(std::move(why)); });
        auto lost = kj::newPromiseAndFulfiller<void>();
        lost_ = kj::mv(lost.fulfiller);
        auto over = lost.promise.then(
            [this]() { return Held(fail(named(Errc::kLeaseNotFound, "the lease ended while it waited"))); });
        return (options_.queue ? queue() : try_once()).exclusiveJoin(kj::mv(over));
      })
      .then([this](Held held) -> kj::Promise<Held> {
        if (held || held.error().code != Errc::kLeaseNotFound) {
          return held;
        }
        if (time_is_over()) {
          return Held(fail(named(options_.queue ? Errc::kWaitTimedOut : Errc::kUnavailable,
                                 "the time was over when its lease ended")));
        }
        forget_lease();
        return engine_.loop().timer().afterDelay(delay(Duration(kBeforeNewLease))).then([this]() {
          return with_new_lease();
        });
      });
}

kj::Promise<Result<HeldLock>> LockClaim::try_once() {
  Request about{"lock \"" + name_ + "\"", Repeat::kHarmless, deadline_, true};
  return engine_.caller()
      .call<Token>(std::move(about), [this](const Attempt& attempt) { return send(attempt); })
      .then([this](Result<Token> token) -> kj::Promise<Held> {
        if (!token) {
          return Held(fail(std::move(token.error())));
        }
        return granted(*token);
      });
}

kj::Promise<Result<HeldLock>> LockClaim::queue() {
  Instant reach = trouble_ ? trouble_->deadline() : engine_.call_deadline();
  return engine_.calls().link(reach).then([this](Result<kj::Own<Link>> link) -> kj::Promise<Held> {
    if (!link) {
      return Held(fail(asked_ ? named(Errc::kUnknown, "it may still be granted: " + link.error().message)
                              : named(Errc::kUnavailable, link.error().message)));
    }
    return wait_over(kj::mv(*link));
  });
}

kj::Promise<Result<HeldLock>> LockClaim::wait_over(kj::Own<Link> link) {
  struct Ended {
    Result<Token> outcome;
    bool silent = false;
  };
  Link& used = *link;
  auto useless = link->useless().then([]() {
    return Ended{fail(Errc::kUnknown, "the member no longer answers, or follows another leader"), true};
  });
  auto waiting = kj::evalNow([this, &used]() {
                   return send(Attempt{used, engine_.options().call_timeout, {}, asked_});
                 })
                     .then([](Result<Token> outcome) { return Ended{std::move(outcome)}; },
                           [](kj::Exception&& exception) {
                             return Ended{fail(Errc::kUnknown, exception.getDescription().cStr()), true};
                           })
                     .exclusiveJoin(kj::mv(useless));
  if (deadline_ != kNever) {
    Instant end = std::max(deadline_, now()) + kGrace;
    waiting = waiting.exclusiveJoin(engine_.loop().timer().afterDelay(delay(now(), end)).then([this]() {
      return Ended{fail(named(Errc::kWaitTimedOut, "the wait is over")), false};
    }));
  }
  return waiting
      .then(
          [this, &used](Ended ended) { return after_attempt(used, std::move(ended.outcome), ended.silent); })
      .attach(kj::mv(link));
}

kj::Promise<Result<Token>> LockClaim::send(const Attempt& attempt) {
  asked_ = true;
  auto request = attempt.link.locks().acquireRequest();
  attempt.fill(request.initCall());
  auto acquire = request.initAcquire();
  acquire.setLock(text_reader(name_));
  acquire.setLease(lease_.value());
  acquire.setMode(schema::Locks::Mode::EXCLUSIVE);
  acquire.setOwner(text_reader(options_.owner));
  acquire.setQueue(options_.queue);
  acquire.setBounded(options_.queue && deadline_ != kNever);
  if (acquire.getBounded()) {
    auto left = std::chrono::duration_cast<milliseconds>(deadline_ - now());
    acquire.setWaitMs(static_cast<std::uint64_t>(std::max(left, milliseconds(0)).count()));
  }
  acquire.setAttempt(number_);
  return submit<Token>(kj::mv(request),
                       [](schema::Locks::Grant::Reader grant) { return Token(grant.getToken()); });
}

kj::Promise<Result<HeldLock>> LockClaim::after_attempt(Link& link, Result<Token> outcome, bool silent) {
  if (outcome) {
    return granted(*outcome);
  }
  Error& error = outcome.error();
  bool again = is_unknown(error.code) || is_safe_to_retry(error.code);
  if (!again) {
    return Held(fail(std::move(error)));
  }
  if (silent || engine_.calls().has_choice()) {
    engine_.calls().leave(link, error.message);
  }
  if (!trouble_ || link.in_touch()) {
    // Until this attempt ended the cluster was there: the time to reach it again begins now.
    trouble_.emplace(Repeat::kHarmless, engine_.call_deadline(), Random(number_));
  }
  Instant at = now();
  Decision decision = trouble_->after(Outcome::error(error.code), at);
  if (decision.action != Decision::Action::kAgain) {
    return Held(fail(named(Errc::kUnknown, "given up, it may still be granted: " + error.message)));
  }
  return engine_.loop().timer().afterDelay(delay(at, decision.at)).then([this]() { return queue(); });
}

kj::Promise<Result<HeldLock>> LockClaim::granted(Token token) {
  if (!lease_state_->is_safe()) {
    // The grant proves that the lease lived then; a keepalive must say that it lives on.
    return engine_.keeper().confirmed(lease_).then([this, token](bool lives) -> kj::Promise<Held> {
      if (!lives) {
        return Held(fail(named(Errc::kLeaseNotFound, "the lease ended as the lock was granted")));
      }
      return granted(token);
    });
  }
  state_ = State::kHeld;
  token_ = token;
  engine_.keeper().insist(lease_);
  return Held(HeldLock{number_, name_, token, lease_state_});
}

kj::Promise<Result<void>> LockClaim::release() {
  if (state_ != State::kHeld) {
    engine_.discard(number_);
    return Result<void>(fail(named(Errc::kNotHolder, "the lock was lost before it was released")));
  }
  state_ = State::kOver;
  Request about{"release \"" + name_ + "\"", Repeat::kHarmless, engine_.call_deadline(), true};
  auto answer = engine_.caller().call<std::uint64_t>(std::move(about), [this](const Attempt& attempt) {
    auto request = attempt.link.locks().releaseRequest();
    attempt.fill(request.initCall());
    request.setLock(text_reader(name_));
    request.setToken(token_.value());
    return submit<std::uint64_t>(kj::mv(request),
                                 [](schema::Done::Reader done) { return done.getRevision(); })
        .then([this, repeated = attempt.repeated](Result<std::uint64_t> result) -> Result<std::uint64_t> {
          // Nobody else can have ended this grant while its lease was safe: an earlier attempt did.
          bool ours =
              !result && result.error().code == Errc::kNotHolder && repeated && lease_state_->is_safe();
          return ours ? Result<std::uint64_t>(0) : result;
        });
  });
  return answer.then([this](Result<std::uint64_t> result) { return released(std::move(result)); });
}

Result<void> LockClaim::released(Result<std::uint64_t> answer) {
  lease_state_->suspend();
  say_farewell(false);
  engine_.discard(number_);
  if (!answer) {
    return fail(std::move(answer.error()));
  }
  return {};
}

void LockClaim::close() {
  if (state_ == State::kWaiting) {
    cancel_wait();
    leave_nothing();
  } else if (state_ == State::kHeld) {
    state_ = State::kOver;
    lease_state_->lose({Errc::kCancelled, "the client was closed", {}});
    say_farewell(false);
  }
}

void LockClaim::cancel_wait() {
  if (state_ == State::kWaiting && cancelled_.get() != nullptr) {
    cancelled_->fulfill();
  }
}

bool LockClaim::time_is_over() const { return now() >= deadline_; }

void LockClaim::lease_lost(Error why) {
  if (state_ == State::kWaiting) {
    lost_->fulfill();
    return;
  }
  if (std::exchange(state_, State::kOver) != State::kHeld) {
    return;  // it is being released
  }
  lease_state_->lose(why);
  say_farewell(false);
  if (options_.on_lost) {
    engine_.notify(
        [on_lost = options_.on_lost, told = to_public(named(why.code, why.message))]() { on_lost(told); });
  }
}

void LockClaim::forget_lease() {
  engine_.keeper().drop(lease_);
  lease_ = LeaseId();
}

void LockClaim::abandon() {
  leave_nothing();
  engine_.discard(number_);
}

void LockClaim::leave_nothing() {
  if (std::exchange(state_, State::kOver) == State::kWaiting && lease_) {
    lease_state_->suspend();
    say_farewell(asked_);
  }
}

void LockClaim::say_farewell(bool cancel) {
  engine_.keeper().drop(lease_);
  // From the last keepalive on the lease has its TTL; then it ends by itself, and all that hangs on it.
  Instant over = now() + std::max<Duration>(options_.ttl, engine_.options().call_timeout);
  Claim claim{name_, lease_, number_};
  auto& caller = engine_.caller();
  kj::Promise<void> cancelled = kj::READY_NOW;
  if (cancel) {
    cancelled = cancel_claim(caller, claim, over).ignoreResult();
  }
  engine_.farewell(cancelled.then(
      [&caller, claim, over]() { return revoke_lease(caller, claim.lease, over).ignoreResult(); }));
}

Error LockClaim::named(Errc code, const std::string& message) const {
  return {code, "lock \"" + name_ + "\": " + message, {}};
}

}  // namespace holdfast::sdk
