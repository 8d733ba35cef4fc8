#include "client/clock.h"

#include <algorithm>

namespace holdfast::sdk {

namespace {
// Timers count in nanoseconds of 64 bits; nothing here waits longer than this at a time.
constexpr Duration kLongestDelay = std::chrono::hours(24);
}  // namespace

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
