#include "holdfast/result.h"

namespace holdfast::client {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
      return "invalid_argument";
    case Errc::kLimitExceeded:
      return "limit_exceeded";
    case Errc::kKeyNotFound:
      return "key_not_found";
    case Errc::kRevisionMismatch:
      return "revision_mismatch";
    case Errc::kLeaseNotFound:
      return "lease_not_found";
    case Errc::kServiceNotFound:
      return "service_not_found";
    case Errc::kInstanceNotFound:
      return "instance_not_found";
    case Errc::kLockHeld:
      return "lock_held";
    case Errc::kLockNotFound:
      return "lock_not_found";
    case Errc::kNotHolder:
      return "not_holder";
    case Errc::kWaitTimedOut:
      return "wait_timed_out";
    case Errc::kCancelled:
      return "cancelled";
    case Errc::kCompacted:
      return "compacted";
    case Errc::kSessionEnded:
      return "session_ended";
    case Errc::kUnavailable:
      return "unavailable";
    case Errc::kOverloaded:
      return "overloaded";
    case Errc::kUnknown:
      return "unknown";
    case Errc::kInternal:
      return "internal";
  }
  return "unrecognised";
}

}  // namespace holdfast::client
