#include "client/clock.h"

#include <time.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast::sdk {

namespace {
// Timers count in nanoseconds of 64 bits; nothing here waits longer than this at a time.
constexpr Duration kLongestDelay = std::chrono::hours(24);
}  // namespace

Instant now() {
  timespec time{};
  INVARIANT(clock_gettime(CLOCK_BOOTTIME, &time) == 0, "without a clock no lease can be trusted");
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) +
                                                      std::chrono::nanoseconds(time.tv_nsec)));
}

kj::Duration delay(Instant from, Instant until) {
  if (until <= from) {
    return 0 * kj::MICROSECONDS;
  }
  return until == kNever ? delay(kLongestDelay) : delay(until - from);
}

kj::Duration delay(Duration duration) {
  return std::clamp<Duration>(duration, Duration(0), kLongestDelay).count() * kj::MICROSECONDS;
}

}  // namespace holdfast::sdk
