#include "client/session/retry.h"

#include <algorithm>

#include "base/canary.h"

namespace holdfast::session {

using Action = Decision::Action;

namespace {
/// Of a call's time, the least that is worth another attempt.
constexpr Duration kLeastAttempt = milliseconds(50);
}  // namespace

Retry::Retry(Repeat repeat, Instant deadline, Random random, Pause pause)
    : repeat_(repeat), deadline_(deadline), random_(random), pause_(pause) {}

Decision Retry::after(Outcome outcome, Instant now) {
  ++attempts_;
  switch (outcome.kind) {
    case Outcome::Kind::kSuccess:
      return {};
    case Outcome::Kind::kNotSent:
      return again(now, true);
    case Outcome::Kind::kLost:
      return lost(now);
    case Outcome::Kind::kSessionGone: {
      if (ambiguous_ && !HOLDFAST_CANARY(client_writes_again_under_a_new_session)) {
        return {.action = Action::kGiveUnknown};  // what the session remembered of the first attempt is gone
      }
      Decision decision = again(now, false);
      decision.new_session = true;
      return decision;
    }
    case Outcome::Kind::kError:
      break;
  }
  if (is_unknown(outcome.code)) {
    return lost(now);
  }
  if (is_safe_to_retry(outcome.code) || outcome.code == Errc::kSessionWindowFull) {
    Decision decision = again(now, outcome.code != Errc::kSessionWindowFull);
    // The last word of a member that refused says more than "unavailable" would.
    const bool tells_more = outcome.code == Errc::kOverloaded || outcome.code == Errc::kDiskFull;
    if (decision.action == Action::kGiveUnavailable && tells_more) {
      decision.action = Action::kGiveAnswer;
    }
    return decision;
  }
  return {};
}

Decision Retry::lost(Instant now) {
  if (repeat_ == Repeat::kNever && !HOLDFAST_CANARY(client_repeats_what_has_no_stamp)) {
    return {.action = Action::kGiveUnknown};
  }
  ambiguous_ = repeat_ != Repeat::kRead;
  return again(now, true);
}

Decision Retry::again(Instant now, bool elsewhere) {
  Duration pause = pause_.first;
  for (int i = 1; i < attempts_ && pause < pause_.longest; ++i) {
    pause *= 2;
  }
  pause = std::min(pause, pause_.longest);
  pause = pause / 2 + Duration(random_.below(static_cast<std::uint64_t>(pause.count()) / 2 + 1));
  // What is sent too late to be answered tells nothing new, and makes unknown what was certain.
  const Duration needed = ambiguous_ ? Duration(0) : kLeastAttempt;
  if (now + pause + needed >= deadline_) {
    Decision decision = give_up();
    decision.elsewhere = elsewhere;
    return decision;
  }
  return {.action = Action::kAgain, .at = now + pause, .elsewhere = elsewhere};
}

Decision Retry::give_up() const {
  const bool told = ambiguous_ && !HOLDFAST_CANARY(client_calls_an_ambiguous_write_refused);
  return {.action = told ? Action::kGiveUnknown : Action::kGiveUnavailable};
}

}  // namespace holdfast::session
