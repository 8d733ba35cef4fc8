#include "bench/lanes.h"

#include <kj/time.h>

#include <utility>

namespace holdfast::bench {

Lanes::Lanes(net::EventLoop& loop, const Load& load, Once once)
    : loop_(loop),
      lanes_(load.in_flight),
      pace_({load.total, load.duration, load.rate}, loop.now()),
      once_(kj::mv(once)) {}

kj::Promise<void> Lanes::run() {
  return on_all_lanes(lanes_, [this](std::size_t lane) { return go_on(lane); });
}

kj::Promise<void> Lanes::go_on(std::size_t lane) {
  const Instant now = loop_.now();
  const std::optional<Instant> due = pace_.next(now);
  if (!due) return kj::READY_NOW;
  if (*due <= now) return once_(lane, *due).then([this, lane] { return go_on(lane); });
  return loop_.timer()
      .afterDelay((*due - now).count() * kj::MICROSECONDS)
      .then([this, lane, due = *due] { return once_(lane, due); })
      .then([this, lane] { return go_on(lane); });
}

}  // namespace holdfast::bench
