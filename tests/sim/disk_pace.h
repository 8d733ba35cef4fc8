#pragma once

#include "base/random.h"
#include "tests/sim/disk.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

/// How long a disk takes for something: now and then far too long.
class DiskPace {
 public:
  DiskPace(Schedule& schedule, Random& random, const DiskOptions& options)
      : schedule_(schedule), random_(random), options_(options) {}

  Duration delay() {
    if (schedule_.now() < stalled_until_) return stalled_until_ - schedule_.now();
    if (!calm_ && random_.chance(options_.stall_percent)) return options_.stall;
    return Duration(
        static_cast<Duration::rep>(random_.between(static_cast<std::uint64_t>(options_.fastest.count()),
                                                   static_cast<std::uint64_t>(options_.slowest.count()))));
  }
  /// Nothing that begins before `until` is over before.
  void stall(Instant until) { stalled_until_ = until; }
  void calm() {
    calm_ = true;
    stalled_until_ = {};
  }

 private:
  Schedule& schedule_;
  Random& random_;
  const DiskOptions options_;
  Instant stalled_until_;
  bool calm_ = false;
};

}  // namespace holdfast::sim
