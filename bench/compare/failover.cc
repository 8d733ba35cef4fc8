#include "bench/compare/failover.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/compare/teller.h"
#include "bench/outage.h"

namespace holdfast::bench {
namespace {

using Clock = std::chrono::steady_clock;

// As holdfast-bench's clients pause after a refusal.
constexpr milliseconds kPause{5};

Instant instant_of(Clock::time_point time) {
  return Instant(std::chrono::duration_cast<Duration>(time.time_since_epoch()));
}

/// One client, which knows nothing but a timeout.
class Client {
 public:
  Client(const Load& load, const OpenPeer& open, std::size_t number)
      : load_(load), open_(open), number_(number), member_(number) {}

  /// Returns: why the write was not acknowledged; nothing if it was.
  std::string write() {
    const auto deadline = Clock::now() + load_.call_timeout;
    std::optional<std::string> outcome;
    try {
      if (!peer_) peer_ = open_(alone());
      peer_->once(0, [&outcome](const std::string& why) { outcome = why; });
      do {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
        peer_->turn(std::max(left, milliseconds(0)));
      } while (!outcome && Clock::now() < deadline);
    } catch (const std::exception& e) {
      outcome = e.what();
    }
    if (outcome && outcome->empty()) return {};
    peer_.reset();
    ++member_;
    return outcome.value_or("no answer in time");
  }

 private:
  /// What its next connection is opened for.
  Load alone() const {
    Load load = load_;
    load.endpoints = {load_.endpoints[member_ % load_.endpoints.size()]};
    load.connections = load.in_flight = 1;
    load.seed = load_.seed + number_;
    return load;
  }

  const Load& load_;
  const OpenPeer& open_;
  const std::size_t number_;
  std::size_t member_;
  std::unique_ptr<Peer> peer_;
};

class Failover {
 public:
  Failover(const Load& load, const OpenPeer& open, const std::function<void(const Progress&)>& progress)
      : load_(load), teller_(progress) {
    for (std::size_t number = 0; number < load.in_flight; ++number) clients_.emplace_back(load, open, number);
  }

  Result<Figures> to_the_end() {
    for (Client& client : clients_) {
      if (const std::string why = find_member(client); !why.empty())
        return fail(Errc::kUnavailable, "a write fails before the run: " + why);
    }
    const auto start = Clock::now();
    end_ = start + load_.duration;
    outage_.emplace(load_, instant_of(start));
    teller_.begin();
    std::vector<std::thread> threads;
    for (std::size_t number = 0; number < clients_.size(); ++number)
      threads.emplace_back([this, number] { write_on(number); });
    watch_over(start + load_.kill_after);
    for (std::thread& thread : threads) thread.join();
    const auto now = Clock::now();
    figures_.elapsed = std::chrono::duration_cast<Duration>(now - start);
    outage_->report(instant_of(now), figures_);
    if (const std::string why = outage_->not_measured(); !why.empty()) return fail(Errc::kUnavailable, why);
    return std::move(figures_);
  }

 private:
  /// The first write of a client finds its member and a leader: nobody is out yet, but one that has just been
  /// started may be slow. Returns: why there was none.
  std::string find_member(Client& client) {
    std::string why = client.write();
    for (std::size_t other = 1; other < 3 * load_.endpoints.size() && !why.empty(); ++other)
      why = client.write();
    return why;
  }

  void write_on(std::size_t number) {
    std::unique_lock lock(mutex_);
    while (Clock::now() < end_) {
      const bool sent_after = outage_->struck();
      lock.unlock();
      const auto sent = Clock::now();
      const std::string why = clients_[number].write();
      const auto now = Clock::now();
      lock.lock();
      if (why.empty()) {
        ++figures_.count;
        const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(now - sent);
        figures_.latencies.record(static_cast<std::uint64_t>(taken.count()));
        outage_->acknowledged(number, instant_of(now), sent_after);
      } else {
        ++figures_.errors;
        if (figures_.first_error.empty()) figures_.first_error = why;
        nobody_.wait_for(lock, kPause);
      }
    }
  }

  /// Until the end: strikes when it is time, and tells how far the run is.
  void watch_over(Clock::time_point strike_at) {
    bool due = load_.kill_pid != 0;
    std::unique_lock lock(mutex_);
    do {
      const auto next = std::min(end_, Clock::now() + std::chrono::seconds(1));
      nobody_.wait_until(lock, due ? std::min(next, strike_at) : next);
      if (due && Clock::now() >= strike_at) {
        outage_->strike();
        due = false;
      }
      teller_.look_at(figures_);
    } while (Clock::now() < end_);
  }

  const Load& load_;
  Clock::time_point end_;

  // Each is its thread's alone once the threads run.
  std::vector<Client> clients_;

  std::mutex mutex_;
  std::condition_variable nobody_;  // never told: who waits for it waits for the clock
  // Under the mutex while the threads run.
  std::optional<Outage> outage_;
  Figures figures_;
  Teller teller_;
};

}  // namespace

Result<Figures> run_failover(const Load& load, const OpenPeer& open,
                             const std::function<void(const Progress&)>& progress) {
  return Failover(load, open, progress).to_the_end();
}

}  // namespace holdfast::bench
