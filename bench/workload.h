#pragma once

#include <kj/async.h>
#include <kj/string.h>
#include <schema/api.capnp.h>

#include <cstdint>
#include <memory>

#include "bench/load.h"

namespace holdfast::bench {

/// What a connection offers.
struct Services {
  schema::Config::Client config;
  schema::Locks::Client locks;
  schema::Leases::Client leases;
};

/// What every lane of a load does over and over, one operation at a time.
class Workload {
 public:
  virtual ~Workload() = default;
  /// Once for each lane, before the clock starts.
  virtual kj::Promise<void> prepare(std::size_t lane, Services& services) = 0;
  /// Returns: why the operation did not succeed.
  virtual kj::Promise<kj::Maybe<kj::String>> once(std::size_t lane, Services& services) = 0;
  /// What one operation counts for.
  virtual std::uint64_t weight() const { return 1; }
};

std::unique_ptr<Workload> make_workload(const Load& load);

}  // namespace holdfast::bench
