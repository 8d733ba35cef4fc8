#include "tests/client/stopped_clock.h"

#include <atomic>
#include <chrono>

#include "client/clock.h"

namespace {

std::atomic<holdfast::Duration> stopped_at{holdfast::Duration(0)};  // zero: it runs
std::atomic<holdfast::Duration> skipped{holdfast::Duration(0)};

holdfast::Duration real_time() {
  return std::chrono::duration_cast<holdfast::Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

namespace holdfast::sdk {

// In the place of client/boot_clock.cc.
Instant now() {
  const Duration stopped = stopped_at.load();
  return Instant(stopped > Duration(0) ? stopped : real_time() + skipped.load());
}

}  // namespace holdfast::sdk

namespace holdfast::fake {

StoppedClock::StoppedClock() { stopped_at = sdk::now().time_since_epoch(); }

StoppedClock::~StoppedClock() {
  // It goes on from where it stands: a clock never jumps back.
  const Duration stands = stopped_at.load();
  skipped = stands > real_time() ? stands - real_time() : Duration(0);
  stopped_at = Duration(0);
}

void StoppedClock::advance(Duration by) { stopped_at = stopped_at.load() + by; }

}  // namespace holdfast::fake
