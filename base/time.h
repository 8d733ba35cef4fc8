#pragma once

#include <chrono>

namespace holdfast {

using Duration = std::chrono::microseconds;
using std::chrono::milliseconds;

/// A monotonic clock that nobody can read: an Instant always comes from outside, as an argument.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

/// A point on a node's (or client's) own monotonic clock; instants of two processes do not compare.
using Instant = MonotonicClock::time_point;

constexpr Instant kNever = Instant::max();

/// Milliseconds during which the cluster has had a leader: the only time inside the replicated log. The
/// leader stamps every command with it; it stands still while there is no leader, so it never runs ahead of
/// any clock.
using ClusterTime = std::chrono::milliseconds;

}  // namespace holdfast
