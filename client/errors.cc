#include "client/errors.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::sdk {

namespace {

struct Pair {
  Errc ours;
  client::Errc theirs;
};

// What users see of each of the service's codes. Where several come out as one, the first gives its name.
constexpr Pair kPairs[] = {
    {Errc::kInvalidArgument, client::Errc::kInvalidArgument},
    {Errc::kLimitExceeded, client::Errc::kLimitExceeded},
    {Errc::kKeyNotFound, client::Errc::kKeyNotFound},
    {Errc::kRevisionMismatch, client::Errc::kRevisionMismatch},
    {Errc::kLeaseNotFound, client::Errc::kLeaseNotFound},
    {Errc::kServiceNotFound, client::Errc::kServiceNotFound},
    {Errc::kInstanceNotFound, client::Errc::kInstanceNotFound},
    {Errc::kLockHeld, client::Errc::kLockHeld},
    {Errc::kLockNotFound, client::Errc::kLockNotFound},
    {Errc::kNotHolder, client::Errc::kNotHolder},
    {Errc::kWaitTimedOut, client::Errc::kWaitTimedOut},
    {Errc::kCancelled, client::Errc::kCancelled},
    {Errc::kCompacted, client::Errc::kCompacted},
    {Errc::kMemberNotFound, client::Errc::kMemberNotFound},
    {Errc::kMemberExists, client::Errc::kMemberExists},
    {Errc::kNotCaughtUp, client::Errc::kNotCaughtUp},
    {Errc::kChangeInProgress, client::Errc::kChangeInProgress},
    {Errc::kWouldLoseQuorum, client::Errc::kWouldLoseQuorum},
    {Errc::kNotEnabled, client::Errc::kNotEnabled},
    {Errc::kUnavailable, client::Errc::kUnavailable},
    {Errc::kNotLeader, client::Errc::kUnavailable},
    {Errc::kNotCommitted, client::Errc::kUnavailable},
    {Errc::kStopping, client::Errc::kUnavailable},
    {Errc::kOverloaded, client::Errc::kOverloaded},
    {Errc::kSessionWindowFull, client::Errc::kOverloaded},
    {Errc::kDiskFull, client::Errc::kDiskFull},
    {Errc::kUnknown, client::Errc::kUnknown},
    {Errc::kWrongCluster, client::Errc::kInternal},
    {Errc::kCorrupt, client::Errc::kInternal},
    {Errc::kStorage, client::Errc::kInternal},
};

client::Errc public_code(Errc code) {
  const auto* found = std::find_if(std::begin(kPairs), std::end(kPairs),
                                   [code](const Pair& pair) { return pair.ours == code; });
  return found == std::end(kPairs) ? client::Errc::kInternal : found->theirs;  // of a newer service
}

}  // namespace

client::Error to_public(Error error) {
  return {public_code(error.code), std::move(error.message), error.revision.value()};
}

}  // namespace holdfast::sdk

namespace holdfast::client {

std::string_view name_of(Errc code) {
  if (code == Errc::kSessionEnded) return "session_ended";
  if (code == Errc::kInternal) return "internal";
  const auto* found = std::find_if(std::begin(sdk::kPairs), std::end(sdk::kPairs),
                                   [code](const sdk::Pair& pair) { return pair.theirs == code; });
  return found == std::end(sdk::kPairs) ? "unrecognised" : holdfast::name_of(found->ours);
}

}  // namespace holdfast::client
