#include "client/requests.h"

#include <utility>

#include "client/wire.h"

namespace holdfast::sdk {

namespace {

struct Nothing {};

kj::Promise<Result<void>> without_value(kj::Promise<Result<Nothing>> promise) {
  return promise.then([](Result<Nothing> result) -> Result<void> {
    if (!result) {
      return fail(std::move(result.error()));
    }
    return {};
  });
}

}  // namespace

kj::Promise<Result<Granted>> grant_lease(Caller& caller, std::string what, milliseconds ttl, Instant deadline,
                                         session::Repeat repeat) {
  return caller.call<Granted>({std::move(what), repeat, deadline}, [ttl](const Attempt& attempt) {
    auto request = attempt.link.leases().grantRequest();
    attempt.fill(request.initCall());
    request.setTtlMs(static_cast<std::uint64_t>(ttl.count()));
    return submit<Granted>(kj::mv(request), [](schema::Leases::Granted::Reader granted) {
      return Granted{LeaseId(granted.getLease()), milliseconds(granted.getTtlMs())};
    });
  });
}

kj::Promise<Result<void>> revoke_lease(Caller& caller, LeaseId lease, Instant deadline) {
  return without_value(caller.call<Nothing>(
      {"revoke a lease", session::Repeat::kHarmless, deadline}, [lease](const Attempt& attempt) {
        auto request = attempt.link.leases().revokeRequest();
        attempt.fill(request.initCall());
        request.setLease(lease.value());
        return submit<Nothing>(kj::mv(request), [](schema::Done::Reader) { return Nothing{}; })
            .then([repeated = attempt.repeated](Result<Nothing> result) -> Result<Nothing> {
              if (!result && repeated && result.error().code == Errc::kLeaseNotFound) {
                return Nothing{};
              }
              return result;
            });
      }));
}

kj::Promise<Result<void>> cancel_claim(Caller& caller, Claim claim, Instant deadline) {
  return without_value(caller.call<Nothing>(
      {"give up waiting for \"" + claim.lock + "\"", session::Repeat::kHarmless, deadline},
      [claim](const Attempt& attempt) {
        auto request = attempt.link.locks().cancelRequest();
        attempt.fill(request.initCall());
        request.setLock(claim.lock);
        request.setLease(claim.lease.value());
        request.setAttempt(claim.attempt);
        return submit<Nothing>(kj::mv(request), [](schema::Done::Reader) { return Nothing{}; });
      }));
}

}  // namespace holdfast::sdk
