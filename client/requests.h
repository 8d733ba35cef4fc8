#pragma once

#include <kj/async.h>

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "client/caller.h"

/// The calls with which the SDK looks after its own leases and claims. All of them may be repeated without
/// harm, so none needs a stamp. Thread: the I/O thread.
namespace holdfast::sdk {

struct Granted {
  LeaseId lease;
  milliseconds ttl{0};
};

/// kHarmless repeats after a lost answer: the lease that may have been granted is used by nobody and ends by
/// itself. `what` begins the message of an error.
kj::Promise<Result<Granted>> grant_lease(Caller& caller, std::string what, milliseconds ttl, Instant deadline,
                                         session::Repeat repeat = session::Repeat::kHarmless);
/// A lease that is gone when an earlier attempt may have ended it counts as revoked.
kj::Promise<Result<void>> revoke_lease(Caller& caller, LeaseId lease, Instant deadline);
/// One claim of one lease in one lock.
struct Claim {
  std::string lock;
  LeaseId lease;
  std::uint64_t attempt = 0;
};
kj::Promise<Result<void>> cancel_claim(Caller& caller, Claim claim, Instant deadline);

}  // namespace holdfast::sdk
