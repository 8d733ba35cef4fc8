#include "client/caller.h"

#include <kj/timer.h>

#include <algorithm>

#include "client/clock.h"
#include "client/wire.h"

namespace holdfast::sdk {

namespace {

using session::Decision;
using session::Outcome;
using session::Repeat;

/// With another member to try, no attempt takes more than half of what is left; but each gets a fair chance.
constexpr milliseconds kFairChance{500};
/// A call unanswered for so long makes the caller ask whether the member is there at all; a process that is
/// stopped keeps its connections, and says nothing.
constexpr milliseconds kProbeAfter{250};
constexpr milliseconds kProbePatience{750};
/// Of an attempt's time, kept for the answer's way back.
constexpr milliseconds kWayBack{200};

Duration attempt_limit(Duration left, bool may_try_elsewhere) {
  if (!may_try_elsewhere) {
    return left;
  }
  return std::max<Duration>(left / 2, std::min<Duration>(left, kFairChance));
}

milliseconds for_the_member(Duration limit) {
  Duration told = limit - std::min<Duration>(limit / 8, kWayBack);
  return std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(told));
}

/// What came of an attempt, and whether the member is to blame.
struct Got {
  Outcome outcome;
  std::optional<Error> error;
  bool silent = false;  ///< the connection broke, or nothing came in time
};

Got from_answer(std::optional<Error> error) {
  if (!error) {
    return {};
  }
  Outcome outcome = Outcome::error(error->code);
  return {outcome, std::move(error)};
}

Got from_exception(const kj::Exception& exception) {
  std::string text = exception.getDescription().cStr();
  if (exception.getType() == kj::Exception::Type::UNIMPLEMENTED) {
    // The method does not exist over there, so it did nothing.
    return from_answer(Error{Errc::kInvalidArgument, "the service does not know this call: " + text, {}});
  }
  return {{Outcome::Kind::kLost}, Error{Errc::kUnknown, text, {}}, true};
}

}  // namespace

void Attempt::fill(schema::Call::Builder call) const {
  call.setTimeoutMs(static_cast<std::uint32_t>(std::min(timeout, limits::kMaxCallTimeout).count()));
  call.setSession(stamp.session.value());
  call.setSequence(stamp.sequence);
  call.setAcknowledgedBelow(stamp.acknowledged_below);
}

/// One call from its first attempt to its outcome.
class Caller::Call {
 public:
  Call(Caller& caller, Request request, SendUntyped send)
      : caller_(caller),
        request_(with_stamp(std::move(request), caller.stamps_ != nullptr)),
        send_(kj::mv(send)),
        retry_(request_.repeat, request_.deadline, caller.random_.fork()) {}

  kj::Promise<std::optional<Error>> step() {
    if (request_.repeat != Repeat::kStamped || stamp_.get() != nullptr) {
      return attempt();
    }
    return caller_.stamps_->begin(request_.deadline)
        .then([this](Result<kj::Own<Stamps::Open>> open) -> kj::Promise<std::optional<Error>> {
          if (!open) {
            return std::optional<Error>(named(open.error().code, open.error().message));
          }
          stamp_ = kj::mv(*open);
          return attempt();
        });
  }

 private:
  static Request with_stamp(Request request, bool have_sessions) {
    if (request.repeat == Repeat::kNever && have_sessions) {
      request.repeat = Repeat::kStamped;
    }
    return request;
  }

  kj::Promise<std::optional<Error>> attempt() {
    return caller_.channel_.link(request_.deadline)
        .then([this](Result<kj::Own<Link>> linked) -> kj::Promise<std::optional<Error>> {
          if (linked) {
            return send_over(kj::mv(*linked));
          }
          // The channel has tried until the deadline.
          return std::optional<Error>(retry_.ambiguous() ? unknown(linked.error().message)
                                                         : named(Errc::kUnavailable, linked.error().message));
        });
  }

  kj::Promise<std::optional<Error>> send_over(kj::Own<Link> link) {
    Instant start = now();
    Duration left = request_.deadline > start ? request_.deadline - start : Duration(0);
    Duration limit = attempt_limit(left, request_.repeat != Repeat::kNever && caller_.channel_.has_choice());
    Attempt attempt{*link, for_the_member(limit), {}, retry_.ambiguous()};
    if (stamp_.get() != nullptr) {
      attempt.stamp = stamp_->stamp();
    }
    auto silence = caller_.loop_.timer().afterDelay(delay(limit)).then([limit]() {
      auto ms = std::chrono::duration_cast<milliseconds>(limit).count();
      return Got{{Outcome::Kind::kLost},
                 Error{Errc::kUnknown, "no answer within " + std::to_string(ms) + " ms", {}},
                 true};
    });
    auto& used = *link;
    if (limit < left) {
      silence = silence.exclusiveJoin(when_gone(used));
    }
    return kj::evalNow([&]() { return send_(attempt); })
        .then([](std::optional<Error> error) { return from_answer(std::move(error)); },
              [](kj::Exception&& exception) { return from_exception(exception); })
        .exclusiveJoin(kj::mv(silence))
        .then([this, &used](Got got) { return whose_lease(used, std::move(got)); })
        .then([this, &used](Got got) { return decide(used, std::move(got)); })
        .attach(kj::mv(link));
  }

  /// Done when the member answers nothing at all any more: sooner than when its call takes too long.
  kj::Promise<Got> when_gone(Link& link) {
    auto& timer = caller_.loop_.timer();
    return timer.afterDelay(delay(kProbeAfter))
        .then([&link, &timer]() {
          // A connection that breaks tells the call itself.
          return link.cluster()
              .selfRequest()
              .send()
              .then([](auto&&) { return true; }, [](kj::Exception&&) { return true; })
              .exclusiveJoin(timer.afterDelay(delay(kProbePatience)).then([]() { return false; }));
        })
        .then([this, &link](bool there) -> kj::Promise<Got> {
          if (there) {
            return when_gone(link);
          }
          return Got{{Outcome::Kind::kLost}, Error{Errc::kUnknown, "the member does not answer", {}}, true};
        });
  }

  /// "No such lease" under a stamp may speak of the session or of a lease that the request names.
  kj::Promise<Got> whose_lease(Link& link, Got got) {
    if (stamp_.get() == nullptr || got.outcome.kind != Outcome::Kind::kError ||
        got.outcome.code != Errc::kLeaseNotFound) {
      return got;
    }
    if (!request_.names_lease) {
      got.outcome = {Outcome::Kind::kSessionGone};
      return got;
    }
    auto asked = link.leases().keepAliveRequest();
    asked.initCall().setTimeoutMs(static_cast<std::uint32_t>(kFairChance.count()));
    asked.initLeases(1).set(0, stamp_->session().value());
    auto kept = std::make_shared<Got>(std::move(got));  // owners: whichever of the two branches runs
    auto lost = [kept]() {
      kept->outcome = {Outcome::Kind::kLost};
      return std::move(*kept);
    };
    return asked.send()
        .then(
            [kept, lost](auto&& response) {
              auto outcome = response.getOutcome();
              if (!outcome.isOk() || outcome.getOk().getTtlMs().size() != 1) {
                return lost();
              }
              if (outcome.getOk().getTtlMs()[0] == 0) {
                kept->outcome = {Outcome::Kind::kSessionGone};
              }
              return std::move(*kept);
            },
            [lost](kj::Exception&&) { return lost(); })
        .exclusiveJoin(caller_.loop_.timer().afterDelay(delay(kFairChance)).then(lost));
  }

  kj::Promise<std::optional<Error>> decide(Link& link, Got got) {
    Instant at = now();
    Decision decision = retry_.after(got.outcome, at);
    bool no_good = decision.elsewhere && got.outcome.kind == Outcome::Kind::kError &&
                   got.outcome.code != Errc::kOverloaded && got.outcome.code != Errc::kNotCommitted &&
                   caller_.channel_.has_choice();
    if (got.silent || no_good) {
      caller_.channel_.leave(link, got.error->message);
    }
    if (!got.silent && got.error) {
      last_answer_ = got.error->message;
    } else if (got.silent && !last_answer_.empty()) {
      got.error->message += "; before that: " + last_answer_;
    }
    switch (decision.action) {
      case Decision::Action::kGiveAnswer:
        return std::move(got.error);
      case Decision::Action::kGiveUnavailable:
        return std::optional<Error>(named(Errc::kUnavailable, got.error->message));
      case Decision::Action::kGiveUnknown:
        return std::optional<Error>(unknown(got.error->message));
      case Decision::Action::kAgain:
        break;
    }
    if (decision.new_session) {
      caller_.stamps_->ended(stamp_->session());
      stamp_ = nullptr;
    }
    return caller_.loop_.timer().afterDelay(delay(at, decision.at)).then([this]() { return step(); });
  }

  Error named(Errc code, const std::string& message) const {
    return {code, request_.what + ": " + message, {}};
  }
  Error unknown(const std::string& message) const {
    return named(Errc::kUnknown, "it may have taken effect, or may still: " + message);
  }

  Caller& caller_;
  const Request request_;
  SendUntyped send_;
  session::Retry retry_;
  std::string last_answer_;      ///< the last error that a member gave
  kj::Own<Stamps::Open> stamp_;  ///< null: none
};

Caller::Caller(net::EventLoop& loop, Channel& channel, Random random)
    : loop_(loop), channel_(channel), random_(random) {}

kj::Promise<std::optional<Error>> Caller::run(Request request, SendUntyped send) {
  auto call = kj::heap<Call>(*this, std::move(request), kj::mv(send));
  auto& running = *call;
  return running.step().attach(kj::mv(call));
}

}  // namespace holdfast::sdk
