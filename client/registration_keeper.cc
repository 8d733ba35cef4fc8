#include "client/registration_keeper.h"

#include <kj/timer.h>

#include <algorithm>
#include <utility>

#include "client/clock.h"
#include "client/errors.h"
#include "client/registry_requests.h"
#include "client/requests.h"

namespace holdfast::sdk {

namespace {
/// Between two tries to register anew: each of them already takes the time of a call.
constexpr milliseconds kPause{200};
}  // namespace

RegistrationKeeper::RegistrationKeeper(Engine& engine, std::uint64_t number, std::string service,
                                       client::Instance instance, client::RegisterOptions options)
    : engine_(engine),
      number_(number),
      service_(std::move(service)),
      instance_(std::move(instance)),
      options_(std::move(options)),
      lease_state_(std::make_shared<LeaseState>(LeaseId(), Instant::min())),
      renewing_(kj::READY_NOW) {}

kj::Promise<Result<Registered>> RegistrationKeeper::begin() {
  return register_once().then([this](Result<void> done) -> Result<Registered> {
    if (!done) {
      state_ = State::kOver;
      revoke_later();
      engine_.discard(number_);
      return fail(std::move(done.error()));
    }
    state_ = State::kRegistered;
    return Registered{number_, service_, lease_state_};
  });
}

kj::Promise<Result<void>> RegistrationKeeper::register_once() {
  Instant start = now();
  Instant deadline = engine_.call_deadline();
  std::string what = "register \"" + service_ + "/" + instance_.id + "\": a lease";
  return grant_lease(engine_.caller(), std::move(what), options_.ttl, deadline)
      .then([this, start, deadline](Result<Granted> granted) -> kj::Promise<Result<void>> {
        if (!granted) {
          // Without its lease nothing was registered.
          Error& error = granted.error();
          error.code = is_unknown(error.code) ? Errc::kUnavailable : error.code;
          return Result<void>(fail(std::move(error)));
        }
        lease_ = granted->lease;
        lease_state_->renew(lease_, session::SafeUntil(granted->ttl, start).until());
        engine_.keeper().keep(lease_, granted->ttl, start, lease_state_,
                              [this](Error why) { lease_lost(std::move(why)); });
        if (!options_.re_register) {
          engine_.keeper().insist(lease_);
        }
        return register_instance(engine_, service_, instance_, lease_, deadline);
      });
}

void RegistrationKeeper::lease_lost(Error why) {
  lease_state_->suspend();
  lease_ = LeaseId();
  if (state_ != State::kRegistered) {
    return;  // who is at work will hear of it from the service
  }
  why.message = "instance \"" + service_ + "/" + instance_.id + "\": " + why.message;
  if (!options_.re_register) {
    lease_state_->lose(why);
  }
  if (options_.on_lost) {
    engine_.notify([on_lost = options_.on_lost, told = to_public(why)]() { on_lost(told); });
  }
  if (options_.re_register) {
    state_ = State::kRenewing;
    renewing_ = kj::evalLater([this]() { return register_anew(); }).eagerlyEvaluate(nullptr);
  } else {
    state_ = State::kOver;
  }
}

kj::Promise<void> RegistrationKeeper::register_anew() {
  return register_once().then([this](Result<void> done) -> kj::Promise<void> {
    if (done && lease_) {
      state_ = State::kRegistered;
      return kj::READY_NOW;
    }
    revoke_later();
    return engine_.loop().timer().afterDelay(delay(Duration(kPause))).then([this]() {
      return register_anew();
    });
  });
}

kj::Promise<Result<void>> RegistrationKeeper::end() {
  state_ = State::kOver;
  renewing_ = kj::READY_NOW;
  if (!lease_) {
    engine_.discard(number_);
    return Result<void>(fail(Errc::kLeaseNotFound, "instance \"" + service_ + "/" + instance_.id +
                                                       "\": its lease had ended, and it with its lease"));
  }
  return deregister(engine_, service_, instance_.id, lease_, engine_.call_deadline())
      .then([this](Result<void> done) {
        revoke_later();
        engine_.discard(number_);
        return done;
      });
}

void RegistrationKeeper::close() {
  if (std::exchange(state_, State::kOver) != State::kOver) {
    renewing_ = kj::READY_NOW;
    lease_state_->lose({Errc::kCancelled, "the client was closed", {}});
    revoke_later();
  }
}

void RegistrationKeeper::revoke_later() {
  lease_state_->suspend();
  if (LeaseId lease = std::exchange(lease_, LeaseId())) {
    engine_.keeper().drop(lease);
    Instant over = now() + std::max<Duration>(options_.ttl, engine_.options().call_timeout);
    engine_.farewell(revoke_lease(engine_.caller(), lease, over).ignoreResult());
  }
}

}  // namespace holdfast::sdk
