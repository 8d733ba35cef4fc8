#include "bench/compare/fan_out.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "bench/compare/teller.h"

namespace holdfast::bench {
namespace {

using Clock = std::chrono::steady_clock;

class FanOut {
 public:
  FanOut(const Load& load, Peer& peer, const std::function<void(const Progress&)>& progress)
      : load_(load), peer_(peer), teller_(progress) {}

  Result<Figures> to_the_end() {
    if (auto refused = begin(); !refused) return tl::unexpected(refused.error());
    start_ = last_ = Clock::now();
    teller_.begin();
    std::uint64_t writes = 0;
    while (load_.duration > Duration::zero() ? Clock::now() - start_ < load_.duration
                                             : writes < load_.total) {
      ++writes;
      if (!write_and_await(writes * load_.watchers)) break;
      teller_.look_at(figures_);
    }
    figures_.elapsed = std::chrono::duration_cast<Duration>(last_ - start_);
    figures_.extras.push_back({"writes", writes});
    return std::move(figures_);
  }

 private:
  Result<void> begin() {
    std::optional<std::string> ready;
    peer_.watch(
        load_.watchers, [this](std::string_view value) { told(value); },
        [&ready](const std::string& why) { ready = why; });
    const auto asked = Clock::now();
    while (!ready && Clock::now() - asked < load_.call_timeout) peer_.turn(kTurn);
    if (ready && ready->empty()) return {};
    return fail(Errc::kUnavailable, ready.value_or("the watches did not begin in time"));
  }

  void told(std::string_view value) {
    Clock::rep sent = 0;
    if (value.size() < sizeof sent) return;  // of an earlier run
    std::memcpy(&sent, value.data(), sizeof sent);
    last_ = Clock::now();
    const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(last_.time_since_epoch() -
                                                                             Clock::duration(sent));
    figures_.latencies.record(static_cast<std::uint64_t>(taken.count()));
    ++figures_.count;
  }

  /// Returns: false if it is no use going on.
  bool write_and_await(std::uint64_t expected) {
    const auto begin = Clock::now();
    const Clock::rep sent = begin.time_since_epoch().count();
    std::string value(std::max(load_.value_bytes, sizeof sent), 'v');
    std::memcpy(value.data(), &sent, sizeof sent);
    peer_.write_watched(value, [this](const std::string& why) { failure_ = why; });
    const auto in_time = [&] { return Clock::now() - std::max(begin, last_) < load_.call_timeout; };
    while (figures_.count < expected && failure_.empty() && in_time()) peer_.turn(kTurn);
    if (figures_.count >= expected) return true;
    figures_.errors = expected - figures_.count;
    figures_.first_error = failure_.empty() ? "a change did not arrive" : failure_;
    return false;
  }

  const Load& load_;
  Peer& peer_;
  Teller teller_;
  Clock::time_point start_;
  Clock::time_point last_;  // when a watcher was told
  std::string failure_;     // of a write
  Figures figures_;
};

}  // namespace

Result<Figures> run_fan_out(const Load& load, Peer& peer,
                            const std::function<void(const Progress&)>& progress) {
  return FanOut(load, peer, progress).to_the_end();
}

}  // namespace holdfast::bench
