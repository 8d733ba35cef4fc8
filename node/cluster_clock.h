#pragma once

#include "base/time.h"

/// The time inside the log, as the leader counts it: what the machine last saw when this leader took office,
/// plus what went by on its own clock since. It stands still while there is no leader.
namespace holdfast::node {

class ClusterClock {
 public:
  /// Requires: everything of earlier terms is applied, so that no stamp of an earlier leader is later.
  void start(ClusterTime machine_time, Instant now) {
    base_ = machine_time;
    started_ = now;
  }
  ClusterTime at(Instant now) const {
    return base_ + std::chrono::duration_cast<ClusterTime>(now - started_);
  }
  /// The first instant at which at() is `time` or later; kNever if that is too far away to count.
  Instant instant_of(ClusterTime time) const {
    if (time - base_ > kTooFar) return kNever;
    return started_ + (time - base_);
  }

 private:
  static constexpr ClusterTime kTooFar = std::chrono::hours(24 * 365 * 1000);

  ClusterTime base_{0};
  Instant started_;
};

}  // namespace holdfast::node
