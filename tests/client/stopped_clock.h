#pragma once

#include "base/time.h"

namespace holdfast::fake {

/// While one lives, time passes for the SDK's leases only as the test says, however long the machine takes
/// for anything: tests of this folder are linked with the clock that it stops. The SDK's timers wait in real
/// time, and look at the clock when they wake. Thread: the test's.
class StoppedClock {
 public:
  StoppedClock();
  ~StoppedClock();
  StoppedClock(const StoppedClock&) = delete;
  StoppedClock& operator=(const StoppedClock&) = delete;

  void advance(Duration by);
};

}  // namespace holdfast::fake
