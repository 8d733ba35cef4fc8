#include "base/result.h"

namespace holdfast {

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
    case Errc::kNotHolder:
      return "not_holder";
    case Errc::kWaitTimedOut:
      return "wait_timed_out";
    case Errc::kCancelled:
      return "cancelled";
    case Errc::kCompacted:
      return "compacted";
    case Errc::kLockNotFound:
      return "lock_not_found";
    case Errc::kMemberNotFound:
      return "member_not_found";
    case Errc::kMemberExists:
      return "member_exists";
    case Errc::kNotCaughtUp:
      return "not_caught_up";
    case Errc::kChangeInProgress:
      return "change_in_progress";
    case Errc::kWouldLoseQuorum:
      return "would_lose_quorum";
    case Errc::kNotEnabled:
      return "not_enabled";
    case Errc::kSessionWindowFull:
      return "session_window_full";
    case Errc::kNotLeader:
      return "not_leader";
    case Errc::kUnavailable:
      return "unavailable";
    case Errc::kOverloaded:
      return "overloaded";
    case Errc::kNotCommitted:
      return "not_committed";
    case Errc::kStopping:
      return "stopping";
    case Errc::kDiskFull:
      return "disk_full";
    case Errc::kUnknown:
      return "unknown";
    case Errc::kWrongCluster:
      return "wrong_cluster";
    case Errc::kCorrupt:
      return "corrupt";
    case Errc::kStorage:
      return "storage";
  }
  return "unrecognised";
}

}  // namespace holdfast
