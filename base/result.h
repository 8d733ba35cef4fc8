#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "base/ids.h"

namespace holdfast {

/// Why a call did not do what it was asked. The numbers go over the wire (schema/api.capnp, ErrorCode) and
/// into stored outcomes: DO NOT CHANGE OR REUSE THEM.
enum class Errc : std::uint16_t {
  // The request itself is at fault; nothing changed.
  kInvalidArgument = 1,
  kLimitExceeded = 2,
  // Refused by the state it met; nothing changed.
  kKeyNotFound = 10,
  kRevisionMismatch = 11,
  kLeaseNotFound = 12,
  kServiceNotFound = 13,
  kInstanceNotFound = 14,
  kLockHeld = 15,
  kNotHolder = 16,
  kWaitTimedOut = 17,
  kCancelled = 18,
  kCompacted = 19,
  kLockNotFound = 20,
  kMemberNotFound = 21,
  kMemberExists = 22,
  kNotCaughtUp = 23,       ///< a learner's log is too far behind for it to become a voter
  kChangeInProgress = 24,  ///< another membership change is open, or leadership is being handed over
  kWouldLoseQuorum = 25,
  kNotEnabled = 26,  ///< the cluster's feature level does not allow it yet: some member is too old
  // Sessions: see docs/GLOSSARY.md.
  kSessionWindowFull = 30,
  // The cluster did not take the request; it certainly had no effect.
  kNotLeader = 40,
  kUnavailable = 41,
  kOverloaded = 42,
  kNotCommitted = 43,
  kStopping = 44,
  kDiskFull = 45,  ///< the member is short of space; reads go on
  // It may have taken effect, now or later.
  kUnknown = 50,
  // A peer or a file is not what it should be.
  kWrongCluster = 60,
  kCorrupt = 61,
  kStorage = 62,
};

/// The name a user reads: "lease_not_found".
std::string_view name_of(Errc code);

struct Error {
  Errc code = Errc::kInvalidArgument;
  /// One sentence that names the thing, the limit and the way out.
  std::string message;
  /// kCompacted: the lowest revision that can still be watched from. kRevisionMismatch: the key's revision.
  Revision revision = {};

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

/// Makes the failure that any Result accepts: `return fail(Errc::kNotHolder, "...")`.
inline tl::unexpected<Error> fail(Errc code, std::string message, Revision revision = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), revision});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// True when the request may have taken effect although it was not acknowledged.
constexpr bool is_unknown(Errc code) { return code == Errc::kUnknown; }
/// True when the same request may be sent again without any risk: it certainly had no effect.
constexpr bool is_safe_to_retry(Errc code) {
  return code == Errc::kNotLeader || code == Errc::kUnavailable || code == Errc::kOverloaded ||
         code == Errc::kNotCommitted || code == Errc::kStopping || code == Errc::kDiskFull;
}

}  // namespace holdfast
