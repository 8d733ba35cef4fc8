#pragma once

#include "base/time.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

/// The clock of one process: it runs apart from the world's time by so many thousandths.
class Clock {
 public:
  Clock(Schedule& schedule, int drift_permille) : schedule_(&schedule), rate_(1000 + drift_permille) {}

  Instant now() const { return Instant(schedule_->now().time_since_epoch() * rate_ / 1000); }
  /// When in the world's time this clock will show `local`.
  Instant when(Instant local) const {
    return local == kNever ? kNever
                           : Instant((local.time_since_epoch() * 1000 + Duration(rate_ - 1)) / rate_);
  }

 private:
  Schedule* schedule_;
  Duration::rep rate_;
};

}  // namespace holdfast::sim
