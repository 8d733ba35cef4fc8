#pragma once

#include <chrono>
#include <functional>

#include "bench/load.h"

namespace holdfast::bench {

/// Tells how far a run is, once a second.
class Teller {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Teller(const std::function<void(const Progress&)>& progress) : progress_(progress) {}

  void begin() { start_ = told_ = Clock::now(); }
  void look_at(const Figures& figures) {
    const auto now = Clock::now();
    if (now - told_ < std::chrono::seconds(1)) return;
    const double since_told = std::chrono::duration<double>(now - told_).count();
    const double rate = static_cast<double>(figures.count - told_count_) / since_told;
    progress_({std::chrono::duration_cast<Duration>(now - start_), figures.count, figures.errors, rate});
    told_ = now;
    told_count_ = figures.count;
  }

 private:
  const std::function<void(const Progress&)>& progress_;
  Clock::time_point start_;
  Clock::time_point told_;
  std::uint64_t told_count_ = 0;
};

}  // namespace holdfast::bench
