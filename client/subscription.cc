#include "client/subscription.h"

#include <kj/timer.h>

#include <utility>

#include "client/clock.h"
#include "client/wire.h"

namespace holdfast::sdk {

namespace {
using session::Decision;
using session::Outcome;

/// A member that ended the watch sooner than this was no good, and the pauses go on growing.
constexpr Duration kServedWell = std::chrono::seconds(1);

session::Retry fresh_retry(Instant deadline) {
  return {session::Repeat::kRead, deadline,
          Random(static_cast<std::uint64_t>(now().time_since_epoch().count()))};
}

bool may_recover(Errc code) { return is_safe_to_retry(code) || is_unknown(code); }
}  // namespace

Subscription::Subscription(Engine& engine, std::uint64_t number, std::string what)
    : engine_(engine),
      number_(number),
      what_(std::move(what)),
      retry_(fresh_retry(engine.call_deadline())),
      serving_(kj::READY_NOW) {}

Subscription::~Subscription() noexcept(false) = default;

kj::Promise<Result<void>> Subscription::begin() {
  auto beginning = kj::newPromiseAndFulfiller<Result<void>>();
  beginning_ = kj::mv(beginning.fulfiller);
  serving_ = serve().eagerlyEvaluate([this](kj::Exception&& exception) {
    give_up({Errc::kCorrupt, exception.getDescription().cStr(), {}});
  });
  return kj::mv(beginning.promise);
}

void Subscription::stop() {
  over_ = true;
  unsubscribed();
  engine_.discard(number_);
}

void Subscription::close() {
  if (!std::exchange(over_, true)) {
    unsubscribed();
    finish({Errc::kCancelled, "the client was closed", {}});
  }
}

void Subscription::ended(Error error) {
  if (member_ended_.get() != nullptr) {
    member_ended_->fulfill(std::move(error));
  }
}

kj::Promise<void> Subscription::serve() {
  if (over_) {
    return kj::READY_NOW;
  }
  // Once it has begun it goes on for ever.
  Instant deadline = begun_ ? kNever : retry_.deadline();
  return engine_.calls().link(deadline).then([this](Result<kj::Own<Link>> link) -> kj::Promise<void> {
    if (!link) {
      return again(nullptr, std::move(link.error()));
    }
    return serve_over(kj::mv(*link));
  });
}

kj::Promise<void> Subscription::serve_over(kj::Own<Link> link) {
  using Handle = Result<schema::Handle::Client>;
  auto member_ended = kj::newPromiseAndFulfiller<Error>();
  member_ended_ = kj::mv(member_ended.fulfiller);
  Link& used = *link;
  auto subscribed =
      kj::evalNow([this, &used]() {
        return subscribe(Attempt{used, engine_.options().call_timeout, {}});
      })
          .catch_([](kj::Exception&& exception) -> Handle {
            return fail(Errc::kUnknown, exception.getDescription().cStr());
          })
          .exclusiveJoin(engine_.loop()
                             .timer()
                             .afterDelay(delay(Duration(engine_.options().call_timeout)))
                             .then([]() -> Handle { return fail(Errc::kUnknown, "no answer in time"); }));
  return subscribed
      .then([this, &used, ended = kj::mv(member_ended.promise)](Handle handle) mutable -> kj::Promise<Error> {
        if (!handle) {
          return std::move(handle.error());
        }
        served_since_ = now();
        begun_ = true;
        if (beginning_.get() != nullptr) {
          beginning_->fulfill({});
          beginning_ = nullptr;
        }
        return ended
            .exclusiveJoin(used.useless().then([]() {
              return Error{Errc::kUnknown, "the member no longer answers, or follows another leader", {}};
            }))
            .attach(kj::mv(*handle));
      })
      .then([this, &used](Error error) {
        unsubscribed();
        return again(&used, std::move(error));
      })
      .attach(kj::mv(link));
}

kj::Promise<void> Subscription::again(Link* link, Error error) {
  if (over_) {
    return kj::READY_NOW;
  }
  if (!may_recover(error.code)) {
    give_up(std::move(error));
    return kj::READY_NOW;
  }
  if (link != nullptr) {
    engine_.calls().leave(*link, error.message);
  }
  Instant at = now();
  if (served_since_ != kNever && at - served_since_ > kServedWell) {
    retry_ = fresh_retry(kNever);
    served_since_ = kNever;
  }
  Decision decision = retry_.after(Outcome::error(error.code), at);
  if (decision.action == Decision::Action::kAgain) {
    return engine_.loop().timer().afterDelay(delay(at, decision.at)).then([this]() { return serve(); });
  }
  if (begun_) {
    retry_ = fresh_retry(kNever);
    return serve();
  }
  give_up({Errc::kUnavailable, std::move(error.message), {}});
  return kj::READY_NOW;
}

void Subscription::give_up(Error error) {
  over_ = true;
  unsubscribed();
  error.message = what_ + ": " + error.message;
  if (beginning_.get() != nullptr) {
    auto beginning = kj::mv(beginning_);
    beginning->fulfill(Result<void>(fail(std::move(error))));
    engine_.discard(number_);
    return;
  }
  finish(std::move(error));
}

}  // namespace holdfast::sdk
