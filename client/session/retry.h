#pragma once

#include <optional>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace holdfast::session {

/// What may be done when nobody knows whether a request took effect.
enum class Repeat {
  kRead,      ///< it changes nothing: ask again
  kHarmless,  ///< doing it twice is doing it once: ask again, and let the caller read the answer with care
  kStamped,   ///< the service runs a stamp once: ask again under the same one
  kNever,     ///< the caller must be told that it is unknown
};

/// What came of one attempt.
struct Outcome {
  enum class Kind {
    kSuccess,
    kError,        ///< the service answered with `code`
    kNotSent,      ///< nobody was reached; certainly no effect
    kLost,         ///< it was sent and no answer will come
    kSessionGone,  ///< the service does not know the session of the stamp (any more)
  };
  Kind kind = Kind::kSuccess;
  Errc code = Errc::kUnknown;  ///< kError

  static Outcome error(Errc code) { return {Kind::kError, code}; }
};

struct Decision {
  enum class Action {
    kGiveAnswer,       ///< the caller gets the answer as it is
    kGiveUnavailable,  ///< the time is over and it certainly had no effect
    kGiveUnknown,      ///< it may have taken effect
    kAgain,
  };
  Action action = Action::kGiveAnswer;
  Instant at = {};           ///< kAgain: not before
  bool elsewhere = false;    ///< the member that was asked is no good for now, for the next call too
  bool new_session = false;  ///< kAgain: under a stamp of a new session
};

/// Decides, attempt by attempt, what becomes of one call. It promises: a write that may have taken effect is
/// never reported as one that did not, and never runs twice.
///
///     certain --lost, unknown--> ambiguous        (only repetitions under the same stamp, or harmless ones)
///
/// An ambiguous call ends with an answer to a repetition, or as unknown; "unavailable" no longer says
/// anything about its first attempt. One that is certain is not sent again with hardly any time left: an
/// attempt that is not answered would make it ambiguous.
class Retry {
 public:
  struct Pause {
    Duration first = milliseconds(20);
    Duration longest = milliseconds(500);
  };

  Retry(Repeat repeat, Instant deadline, Random random) : Retry(repeat, deadline, random, {}) {}
  Retry(Repeat repeat, Instant deadline, Random random, Pause pause);

  Decision after(Outcome outcome, Instant now);

  /// An earlier attempt may have taken effect.
  bool ambiguous() const { return ambiguous_; }
  Instant deadline() const { return deadline_; }

 private:
  Decision again(Instant now, bool elsewhere);
  Decision give_up() const;
  Decision lost(Instant now);

  Repeat repeat_;
  Instant deadline_;
  Random random_;
  Pause pause_;
  int attempts_ = 0;
  bool ambiguous_ = false;
};

}  // namespace holdfast::session
