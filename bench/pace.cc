#include "bench/pace.h"

#include <cmath>

namespace holdfast::bench {

std::optional<Instant> Pace::next(Instant now) {
  Instant due = now;
  if (limits_.rate > 0.0) {
    // From the start each time: steps that are added up would gather their rounding errors.
    const double microseconds = static_cast<double>(taken_) * 1e6 / limits_.rate;
    due = start_ + Duration(std::llround(microseconds));
  }
  const bool bounded_by_time = limits_.duration > Duration(0);
  if (bounded_by_time ? due >= start_ + limits_.duration : taken_ == limits_.total) return std::nullopt;
  ++taken_;
  return due;
}

}  // namespace holdfast::bench
