#pragma once

#include <cstdint>

#include "base/check.h"

namespace holdfast {

/// A seeded generator (SplitMix64): the same seed gives the same numbers on every machine. Not for secrets.
/// Ref: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Returns: a number in [0, bound). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    INVARIANT(bound > 0, "an empty range has no number in it");
    return next() % bound;
  }
  /// Returns: a number in [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  /// Returns: true in `percent` of a hundred calls.
  bool chance(double percent) { return static_cast<double>(next() >> 11) * 0x1.0p-53 * 100.0 < percent; }
  /// A generator of its own, for a part that must not disturb this one's sequence.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace holdfast
