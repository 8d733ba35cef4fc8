#pragma once

#include <array>
#include <cstdint>

namespace holdfast::bench {

/// Latencies in microseconds, log-linear: 64 buckets for each power of two, so that a value read back is at
/// most 1/64 above the one recorded.
class Histogram {
 public:
  void record(std::uint64_t microseconds);
  void add(const Histogram& other);
  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  /// The smallest recorded latency that `percent` of all do not exceed, rounded up to its bucket's end; 0 if
  /// empty.
  std::uint64_t percentile(double percent) const;

 private:
  static constexpr int kLinearBits = 6;
  static constexpr std::size_t kBuckets = (64 - kLinearBits + 1) << kLinearBits;
  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t end_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace holdfast::bench
