#include "bench/histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "base/random.h"

using holdfast::Random;
using holdfast::bench::Histogram;

TEST_CASE("a percentile is never below the true one and at most 1/64 above it") {
  Random random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = random.next() >> random.between(20, 63);
    values.push_back(value);
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {0.1, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank =
        static_cast<std::size_t>(static_cast<double>(values.size()) * percent / 100.0 + 0.999999);
    const std::uint64_t exact = values[std::max<std::size_t>(rank, 1) - 1];
    CHECK(histogram.percentile(percent) >= exact);
    CHECK(histogram.percentile(percent) <= exact + exact / 64 + 1);
  }
  CHECK(histogram.max() == values.back());
}

TEST_CASE("two histograms add up") {
  Histogram one, two;
  for (int i = 0; i < 100; ++i) one.record(10);
  for (int i = 0; i < 300; ++i) two.record(1'000'000);
  one.add(two);
  CHECK(one.count() == 400);
  CHECK(one.percentile(25) == 10);
  CHECK(one.percentile(26) >= 1'000'000);
  CHECK(Histogram().percentile(99) == 0);
}
