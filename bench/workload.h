#pragma once

#include <kj/async.h>

#include <cstdint>
#include <memory>

#include "bench/calls.h"
#include "bench/fleet.h"
#include "bench/load.h"

namespace holdfast::bench {

/// What every lane of a load of calls does over and over, one operation at a time.
class Workload {
 public:
  virtual ~Workload() = default;
  /// Once for each lane, before the clock starts.
  virtual kj::Promise<void> prepare(std::size_t, Services&) { return kj::READY_NOW; }
  virtual kj::Promise<Why> once(std::size_t lane, Services& services) = 0;
  /// Once for each lane, when the clock has stopped: revokes what prepare() was granted. What fails ends by
  /// its TTL.
  virtual kj::Promise<void> finish(std::size_t, Services&) { return kj::READY_NOW; }
  /// What one operation counts for.
  virtual std::uint64_t weight() const { return 1; }
};

/// `load` must outlive it. Requires: an operation that is made of calls alone.
std::unique_ptr<Workload> make_workload(const Load& load);

}  // namespace holdfast::bench
