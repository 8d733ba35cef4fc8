#pragma once

#include <kj/async.h>
#include <kj/debug.h>
#include <kj/string.h>

#include <cstdint>
#include <string_view>

#include "bench/fleet.h"
#include "bench/load.h"

namespace holdfast::bench {

/// Why an operation did not succeed.
using Why = kj::Maybe<kj::String>;

/// Longer than any run: for what does not measure how leases end.
constexpr milliseconds kLongTtl{600'000};
/// What the library is told of a small request; untold it takes 8 KiB for each.
constexpr capnp::MessageSize kSmall{32, 0};

template <typename Response>
Why judge(Response&& response) {
  auto outcome = response.getOutcome();
  if (outcome.isOk()) return nullptr;
  return kj::str(outcome.getError().getMessage());
}

inline capnp::Data::Reader bytes_of(std::string_view text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}

capnp::Request<schema::Config::PutParams, schema::Config::PutResults> put_request(
    const Load& load, schema::Config::Client& config, std::string_view key, std::string_view value);
kj::Promise<Why> put(const Load& load, schema::Config::Client& config, std::string_view key,
                     std::string_view value);
/// Errors: a kj exception: a lease that a run needs is not something to count.
kj::Promise<std::uint64_t> grant(const Load& load, Services& services, milliseconds ttl);
kj::Promise<Why> revoke(const Load& load, Services& services, std::uint64_t lease);
/// Returns: that one of the leases has ended, too.
kj::Promise<Why> keep_alive(const Load& load, Services& services, const std::vector<std::uint64_t>& leases);
kj::Promise<Why> register_instance(const Load& load, Services& services, kj::StringPtr service,
                                   kj::StringPtr id, std::uint64_t lease);
kj::Promise<Why> deregister_instance(const Load& load, Services& services, kj::StringPtr service,
                                     kj::StringPtr id, std::uint64_t lease);

}  // namespace holdfast::bench
