#include "bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace holdfast::bench {

std::size_t Histogram::bucket_of(std::uint64_t value) {
  const int width = std::bit_width(value);
  if (width <= kLinearBits) return value;
  const int shift = width - kLinearBits - 1;  // keeps the leading bit and kLinearBits behind it
  const std::uint64_t mantissa = (value >> shift) & ((1u << kLinearBits) - 1);
  return (static_cast<std::size_t>(shift + 1) << kLinearBits) + mantissa;
}

std::uint64_t Histogram::end_of(std::size_t bucket) {
  const std::size_t group = bucket >> kLinearBits;
  const std::uint64_t mantissa = bucket & ((1u << kLinearBits) - 1);
  if (group == 0) return mantissa;
  const int shift = static_cast<int>(group) - 1;
  return (((1ull << kLinearBits) + mantissa + 1) << shift) - 1;
}

void Histogram::record(std::uint64_t microseconds) {
  ++buckets_[bucket_of(microseconds)];
  ++count_;
  max_ = std::max(max_, microseconds);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::percentile(double percent) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100.0));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (buckets_[i] != 0 && seen >= wanted) return std::min(end_of(i), max_);
  }
  return 0;
}

}  // namespace holdfast::bench
