#include "client/session/retry.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::session;
using Action = Decision::Action;
using Kind = Outcome::Kind;

namespace {
Instant at(int ms) { return Instant(milliseconds(ms)); }
Retry make(Repeat repeat, int deadline_ms = 5000) { return Retry(repeat, at(deadline_ms), Random(1)); }
constexpr Repeat kAll[] = {Repeat::kRead, Repeat::kHarmless, Repeat::kStamped, Repeat::kNever};
constexpr Errc kRefusals[] = {Errc::kInvalidArgument, Errc::kLimitExceeded, Errc::kRevisionMismatch,
                              Errc::kLockHeld,        Errc::kNotHolder,     Errc::kCompacted};
}  // namespace

TEST_CASE("a success and a definite refusal go to the caller at once") {
  for (Repeat repeat : kAll) {
    CHECK(make(repeat).after({}, at(0)).action == Action::kGiveAnswer);
    for (Errc code : kRefusals) {
      CHECK(make(repeat).after(Outcome::error(code), at(0)).action == Action::kGiveAnswer);
    }
  }
}

TEST_CASE("what certainly had no effect is sent again elsewhere, whatever it is") {
  for (Repeat repeat : kAll) {
    for (Errc code :
         {Errc::kNotLeader, Errc::kUnavailable, Errc::kOverloaded, Errc::kNotCommitted, Errc::kStopping}) {
      Decision decision = make(repeat).after(Outcome::error(code), at(0));
      CHECK(decision.action == Action::kAgain);
      CHECK(decision.elsewhere);
      CHECK(decision.at > at(0));
    }
    CHECK(make(repeat).after({Kind::kNotSent}, at(0)).action == Action::kAgain);
  }
}

TEST_CASE("a write without a stamp whose answer was lost is unknown at once") {
  CHECK(make(Repeat::kNever).after({Kind::kLost}, at(0)).action == Action::kGiveUnknown);
  CHECK(make(Repeat::kNever).after(Outcome::error(Errc::kUnknown), at(0)).action == Action::kGiveUnknown);
}

TEST_CASE("a lost answer of a read or a stamped write is asked for again") {
  for (Repeat repeat : {Repeat::kRead, Repeat::kHarmless, Repeat::kStamped}) {
    CHECK(make(repeat).after({Kind::kLost}, at(0)).action == Action::kAgain);
    CHECK(make(repeat).after(Outcome::error(Errc::kUnknown), at(0)).action == Action::kAgain);
  }
}

TEST_CASE("when the time is over, a call that certainly had no effect is unavailable") {
  for (Repeat repeat : kAll) {
    Retry retry = make(repeat, 100);
    CHECK(retry.after({Kind::kNotSent}, at(0)).action == Action::kAgain);
    CHECK(retry.after(Outcome::error(Errc::kUnavailable), at(99)).action == Action::kGiveUnavailable);
  }
}

TEST_CASE("a call whose time is over still says that the member was no good") {
  // Or calls with little time would ask a member that knows no leader, one after the other, for ever.
  for (Repeat repeat : kAll) {
    CHECK(make(repeat, 100).after(Outcome::error(Errc::kUnavailable), at(99)).elsewhere);
  }
}

TEST_CASE("a call that is certain is not made ambiguous by a last attempt that nobody could answer") {
  for (Repeat repeat : kAll) {
    CHECK(make(repeat, 1000).after(Outcome::error(Errc::kUnavailable), at(900)).action == Action::kAgain);
    CHECK(make(repeat, 1000).after(Outcome::error(Errc::kUnavailable), at(945)).action ==
          Action::kGiveUnavailable);
  }
  // Nothing is lost by asking once more what became of one that is ambiguous.
  Retry ambiguous = make(Repeat::kStamped, 1000);
  CHECK(ambiguous.after({Kind::kLost}, at(0)).action == Action::kAgain);
  CHECK(ambiguous.after(Outcome::error(Errc::kUnavailable), at(900)).action == Action::kAgain);
}

TEST_CASE("a write that was ambiguous once is never reported as unavailable") {
  for (Repeat repeat : {Repeat::kStamped, Repeat::kHarmless}) {
    Retry retry = make(repeat, 1000);
    CHECK(retry.after({Kind::kLost}, at(0)).action == Action::kAgain);
    CHECK(retry.ambiguous());
    // The repetition certainly had no effect; the first attempt may have had one.
    CHECK(retry.after(Outcome::error(Errc::kUnavailable), at(500)).action == Action::kAgain);
    CHECK(retry.after({Kind::kNotSent}, at(999)).action == Action::kGiveUnknown);
  }
}

TEST_CASE("a read is never ambiguous") {
  Retry retry = make(Repeat::kRead, 1000);
  CHECK(retry.after({Kind::kLost}, at(0)).action == Action::kAgain);
  CHECK_FALSE(retry.ambiguous());
  CHECK(retry.after({Kind::kLost}, at(999)).action == Action::kGiveUnavailable);
}

TEST_CASE("a write whose session had ended before any attempt was ambiguous goes on under a new session") {
  Retry retry = make(Repeat::kStamped);
  CHECK_FALSE(retry.after({Kind::kNotSent}, at(0)).new_session);
  Decision decision = retry.after({Kind::kSessionGone}, at(10));
  CHECK(decision.action == Action::kAgain);
  CHECK(decision.new_session);
}

TEST_CASE("a write whose session ended after an ambiguous attempt is unknown, and is not sent again") {
  Retry retry = make(Repeat::kStamped);
  CHECK(retry.after({Kind::kLost}, at(0)).action == Action::kAgain);
  CHECK(retry.after({Kind::kSessionGone}, at(10)).action == Action::kGiveUnknown);
}

TEST_CASE("a full window is waited for at the same member") {
  Decision decision = make(Repeat::kStamped).after(Outcome::error(Errc::kSessionWindowFull), at(0));
  CHECK(decision.action == Action::kAgain);
  CHECK_FALSE(decision.elsewhere);
}

TEST_CASE("an overloaded service is named as such when the time is over") {
  Retry retry = make(Repeat::kStamped, 100);
  CHECK(retry.after(Outcome::error(Errc::kOverloaded), at(99)).action == Action::kGiveAnswer);
  Retry ambiguous = make(Repeat::kStamped, 100);
  CHECK(ambiguous.after({Kind::kLost}, at(0)).action == Action::kAgain);
  CHECK(ambiguous.after(Outcome::error(Errc::kOverloaded), at(99)).action == Action::kGiveUnknown);
}

TEST_CASE("pauses grow up to a bound, differ by chance, and never reach over the deadline") {
  Retry retry(Repeat::kRead, at(60'000), Random(5), {milliseconds(20), milliseconds(500)});
  Instant now = at(0);
  int attempts = 0;
  for (;; ++attempts) {
    Decision decision = retry.after({Kind::kNotSent}, now);
    if (decision.action != Action::kAgain) {
      CHECK(decision.action == Action::kGiveUnavailable);
      break;
    }
    CHECK(decision.at - now <= milliseconds(500));
    CHECK(decision.at - now >= milliseconds(10));
    CHECK(decision.at < at(60'000));
    now = decision.at;
  }
  CHECK(attempts > 120);
  CHECK(attempts < 300);
}
