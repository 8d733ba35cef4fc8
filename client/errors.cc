#include "client/errors.h"

#include <utility>

namespace holdfast::sdk {

namespace {

client::Errc to_public(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
      return client::Errc::kInvalidArgument;
    case Errc::kLimitExceeded:
      return client::Errc::kLimitExceeded;
    case Errc::kKeyNotFound:
      return client::Errc::kKeyNotFound;
    case Errc::kRevisionMismatch:
      return client::Errc::kRevisionMismatch;
    case Errc::kLeaseNotFound:
      return client::Errc::kLeaseNotFound;
    case Errc::kServiceNotFound:
      return client::Errc::kServiceNotFound;
    case Errc::kInstanceNotFound:
      return client::Errc::kInstanceNotFound;
    case Errc::kLockHeld:
      return client::Errc::kLockHeld;
    case Errc::kLockNotFound:
      return client::Errc::kLockNotFound;
    case Errc::kNotHolder:
      return client::Errc::kNotHolder;
    case Errc::kWaitTimedOut:
      return client::Errc::kWaitTimedOut;
    case Errc::kCancelled:
      return client::Errc::kCancelled;
    case Errc::kCompacted:
      return client::Errc::kCompacted;
    case Errc::kNotLeader:
    case Errc::kUnavailable:
    case Errc::kNotCommitted:
    case Errc::kStopping:
      return client::Errc::kUnavailable;
    case Errc::kSessionWindowFull:
    case Errc::kOverloaded:
      return client::Errc::kOverloaded;
    case Errc::kUnknown:
      return client::Errc::kUnknown;
    case Errc::kWrongCluster:
    case Errc::kCorrupt:
    case Errc::kStorage:
      return client::Errc::kInternal;
  }
  return client::Errc::kInternal;  // of a newer service
}

}  // namespace

client::Error to_public(Error error) {
  return {to_public(error.code), std::move(error.message), error.revision.value()};
}

}  // namespace holdfast::sdk
