#include "bench/compare/closed_loop.h"

#include <chrono>

#include "bench/compare/teller.h"

namespace holdfast::bench {
namespace {

using Clock = std::chrono::steady_clock;

class ClosedLoop {
 public:
  ClosedLoop(const Load& load, Peer& peer, const std::function<void(const Progress&)>& progress)
      : load_(load), peer_(peer), teller_(progress) {}

  Result<Figures> to_the_end() {
    prepare();
    if (!refusal_.empty()) return fail(Errc::kUnavailable, refusal_);
    start_ = Clock::now();
    active_ = load_.in_flight;
    for (std::size_t lane = 0; lane < load_.in_flight; ++lane) next(lane);
    answered_ = start_;
    teller_.begin();
    while (active_ > 0) {
      peer_.turn(kTurn);
      teller_.look_at(figures_);
      if (Clock::now() - answered_ > load_.call_timeout) {
        for (; active_ > 0; --active_) failed("no answer in time");
      }
    }
    figures_.elapsed = std::chrono::duration_cast<Duration>(answered_ - start_);
    return std::move(figures_);
  }

 private:
  /// A few at a time: servers refuse a flood of first requests.
  void prepare() {
    constexpr std::size_t kAtOnce = 64;
    std::size_t started = 0;
    std::size_t ended = 0;
    while (ended < load_.in_flight && refusal_.empty()) {
      for (; started < load_.in_flight && started - ended < kAtOnce; ++started) {
        peer_.prepare(started, [this, &ended](const std::string& why) {
          ++ended;
          if (!why.empty()) refusal_ = why;
        });
      }
      if (ended < load_.in_flight) peer_.turn(kTurn);
    }
  }

  void next(std::size_t lane) {
    const Clock::time_point sent = Clock::now();
    const bool over =
        load_.duration > Duration::zero() ? sent - start_ >= load_.duration : started_ == load_.total;
    if (over) {
      --active_;
      return;
    }
    ++started_;
    peer_.once(lane, [this, lane, sent](const std::string& why) {
      answered_ = Clock::now();
      if (why.empty()) {
        ++figures_.count;
        const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(answered_ - sent);
        figures_.latencies.record(static_cast<std::uint64_t>(taken.count()));
      } else {
        failed(why);
      }
      next(lane);
    });
  }

  void failed(const std::string& why) {
    ++figures_.errors;
    if (figures_.first_error.empty()) figures_.first_error = why;
  }

  const Load& load_;
  Peer& peer_;
  Teller teller_;
  Clock::time_point start_;
  Clock::time_point answered_;  // the last operation
  std::uint64_t started_ = 0;
  std::size_t active_ = 0;  // lanes that go on
  std::string refusal_;
  Figures figures_;
};

}  // namespace

Result<Figures> run_closed_loop(const Load& load, Peer& peer,
                                const std::function<void(const Progress&)>& progress) {
  return ClosedLoop(load, peer, progress).to_the_end();
}

}  // namespace holdfast::bench
