#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace holdfast::bench {

/// When each operation of a run is due, and when there are no more of them.
///
/// The open loop's operations are due at equal distances whatever became of those before: one that is sent
/// late because everything in front of it stalled is still to be counted from when it was due, else a stall
/// of a second would show up in one latency instead of in all that it delayed.
class Pace {
 public:
  struct Limits {
    std::uint64_t total = 0;
    Duration duration{0};  ///< if not 0, it bounds the run instead of `total`
    double rate = 0.0;     ///< a second; 0: the closed loop
  };

  Pace(const Limits& limits, Instant start) : limits_(limits), start_(start) {}

  /// Takes the next operation. Returns: when it is due, in the closed loop that is `now`; none, if the run is
  /// over.
  std::optional<Instant> next(Instant now);

 private:
  const Limits limits_;
  const Instant start_;
  std::uint64_t taken_ = 0;
};

}  // namespace holdfast::bench
