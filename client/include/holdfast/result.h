#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace holdfast::client {

/// What came of a call that did not succeed. Three kinds, and the difference is the contract:
/// refused (nothing changed), unavailable (it certainly had no effect; asking again is safe), and unknown.
enum class Errc {
  kInvalidArgument,
  kLimitExceeded,
  kKeyNotFound,
  kRevisionMismatch,
  kLeaseNotFound,
  kServiceNotFound,
  kInstanceNotFound,
  kLockHeld,
  kLockNotFound,
  kNotHolder,
  kWaitTimedOut,
  kCancelled,
  kCompacted,
  kMemberNotFound,
  kMemberExists,
  kNotCaughtUp,       ///< a learner's log is too far behind for it to become a voter
  kChangeInProgress,  ///< another membership change is open, or leadership is being handed over
  kWouldLoseQuorum,
  kNotEnabled,    ///< some member runs a version that is too old for it
  kSessionEnded,  ///< the client's session lease ended: what depended on it is gone
  kUnavailable,   ///< no member could be reached, or no leader, in time; the call had no effect
  kOverloaded,
  kDiskFull,  ///< the members are short of disk space and take no writes; reads go on
  kUnknown,   ///< the call may have taken effect, now or later
  kInternal,
};

std::string_view name_of(Errc code);

struct Error {
  Errc code = Errc::kInternal;
  std::string message;  ///< names the thing, the limit and the way out
  std::uint64_t revision =
      0;  ///< kRevisionMismatch: the key's; kCompacted: the lowest that can be watched from
};

template <typename T>
using Result = tl::expected<T, Error>;

}  // namespace holdfast::client
