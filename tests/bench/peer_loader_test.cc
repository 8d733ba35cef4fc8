#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <deque>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/compare/closed_loop.h"
#include "bench/compare/failover.h"
#include "bench/compare/fan_out.h"

using namespace holdfast;
using namespace holdfast::bench;

namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

/// Answers in turn(), one operation after the other; every `failing`-th fails, and from the `silent`-th on
/// none is answered.
class FakePeer final : public Peer {
 public:
  void prepare(std::size_t lane, Done done) override {
    ++prepared;
    done(lane == refused_lane ? "no" : "");
  }
  void once(std::size_t, Done done) override {
    most_in_flight = std::max(most_in_flight, waiting_.size() + 1);
    waiting_.push_back(std::move(done));
  }
  void watch(std::size_t watchers, Told told, Done ready) override {
    watchers_ = watchers;
    told_ = std::move(told);
    ready({});
  }
  void write_watched(const std::string& value, Done done) override {
    waiting_.push_back(std::move(done));
    // The last watcher hears of no value but the first `heard`.
    const bool all = ++written <= heard;
    for (std::size_t watcher = all ? 0 : 1; watcher < watchers_; ++watcher) values_.push_back(value);
  }
  void turn(milliseconds) override {
    for (const std::string& value : std::exchange(values_, {})) told_(value);
    if (waiting_.empty() || ++turns_ >= silent) return;
    const Done done = std::move(waiting_.front());
    waiting_.pop_front();
    done(turns_ % failing == 0 ? "it failed" : "");
  }

  std::size_t refused_lane = kNever;
  std::size_t failing = kNever;
  std::size_t silent = kNever;
  std::size_t heard = kNever;
  std::size_t prepared = 0;
  std::size_t written = 0;
  std::size_t most_in_flight = 0;

 private:
  std::deque<Done> waiting_;
  std::vector<std::string> values_;
  std::size_t watchers_ = 0;
  std::size_t turns_ = 0;
  Told told_;
};

// Peers that answer at once are never silent, however slow this machine is just now.
constexpr milliseconds kForever = std::chrono::minutes(1);
constexpr milliseconds kSilence{500};

Load small_load(milliseconds call_timeout) {
  Load load;
  load.in_flight = 4;
  load.total = 20;
  load.watchers = 5;
  load.call_timeout = call_timeout;
  return load;
}

const std::function<void(const Progress&)> kUntold = [](const Progress&) {};

/// A small run against `peer`, which there are figures of.
Figures figures_of_loop(FakePeer& peer, milliseconds call_timeout = kForever) {
  auto figures = run_closed_loop(small_load(call_timeout), peer, kUntold);
  REQUIRE(figures);
  return *std::move(figures);
}

Figures figures_of_fan_out(FakePeer& peer, milliseconds call_timeout = kForever) {
  auto figures = run_fan_out(small_load(call_timeout), peer, kUntold);
  REQUIRE(figures);
  return *std::move(figures);
}

/// A process that does nothing until it is ended.
class Bystander {
 public:
  Bystander() : pid_(fork()) {
    if (pid_ == 0) {
      while (true) pause();
    }
    REQUIRE(pid_ > 0);
  }
  ~Bystander() {
    if (pid_ > 0) end(SIGKILL);
  }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

  int pid() const { return pid_; }
  /// Returns: the signal that ended it, `signal` if none had.
  int end(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WTERMSIG(status);
  }

 private:
  int pid_;
};

Load small_failover(const Bystander& victim) {
  Load load = small_load(milliseconds(20));
  load.op = Op::kFailover;
  load.endpoints = {{"a", 1}, {"b", 2}};
  load.in_flight = 2;
  load.duration = milliseconds(400);
  load.kill_after = milliseconds(20);
  load.kill_pid = victim.pid();
  return load;
}

std::uint64_t extra(const Figures& figures, const std::string& name) {
  for (const Extra& one : figures.extras) {
    if (one.name == name) return one.value;
  }
  FAIL("there is no " << name);
  return 0;
}

}  // namespace

TEST_CASE(
    "a closed loop starts as many operations as were asked for, and never more at once than there are "
    "lanes") {
  FakePeer peer;
  const Figures figures = figures_of_loop(peer);
  CHECK(figures.count == 20);
  CHECK(figures.errors == 0);
  CHECK(figures.latencies.count() == 20);
  CHECK(peer.prepared == 4);
  CHECK(peer.most_in_flight == 4);
}

TEST_CASE("an operation of a closed loop that failed is an error and no latency, and its lane goes on") {
  FakePeer peer;
  peer.failing = 5;
  const Figures figures = figures_of_loop(peer);
  CHECK(figures.count == 16);
  CHECK(figures.errors == 4);
  CHECK(figures.first_error == "it failed");
  CHECK(figures.latencies.count() == 16);
}

TEST_CASE("a closed loop whose service falls silent ends, and what was in flight are errors") {
  FakePeer peer;
  peer.silent = 7;
  const Figures figures = figures_of_loop(peer, kSilence);
  CHECK(figures.count == 6);
  CHECK(figures.errors == 4);
}

TEST_CASE("a lane that cannot be prepared is the reason why there are no figures") {
  FakePeer peer;
  peer.refused_lane = 2;
  const auto figures = run_closed_loop(small_load(kForever), peer, kUntold);
  REQUIRE(!figures);
  CHECK(figures.error().message == "no");
}

TEST_CASE("a fan-out writes again when all were told, and counts each of them") {
  FakePeer peer;
  const Figures figures = figures_of_fan_out(peer);
  CHECK(peer.written == 20);
  CHECK(figures.count == 100);
  CHECK(figures.errors == 0);
}

TEST_CASE("a fan-out in which one watcher is not told ends there, with what is missing as errors") {
  FakePeer peer;
  peer.heard = 3;
  const Figures figures = figures_of_fan_out(peer, kSilence);
  CHECK(peer.written == 4);
  CHECK(figures.count == 3 * 5 + 4);
  CHECK(figures.errors == 1);
}

TEST_CASE("a failover strikes whom it was told to, and tells how long clients went without an answer") {
  Bystander victim;
  Load load = small_failover(victim);
  load.call_timeout = kForever;
  load.duration = milliseconds(1000);
  const auto figures = run_failover(
      load, [](const Load&) { return std::make_unique<FakePeer>(); }, kUntold);
  REQUIRE(figures);
  CHECK(victim.end(SIGTERM) == SIGKILL);
  CHECK(figures->count > 0);
  CHECK(figures->errors == 0);
  CHECK(figures->failed.empty());
  CHECK(extra(*figures, "slowest_client_us") >= extra(*figures, "gap_after_kill_us"));
}

TEST_CASE(
    "a client of a failover that gets no answer in time, or no connection, goes on to the next member") {
  Bystander victim;
  const Load load = small_failover(victim);
  std::atomic<int> refused{0};
  const auto open = [&load, &refused](const Load& one) -> std::unique_ptr<Peer> {
    // "a" takes one connection, on which it answers once.
    const bool silent = one.endpoints.front() == load.endpoints.front();
    if (silent && refused++ > 0) throw std::runtime_error("nobody listens");
    auto peer = std::make_unique<FakePeer>();
    if (silent) peer->silent = 2;
    return peer;
  };
  const auto figures = run_failover(load, open, kUntold);
  REQUIRE(figures);
  CHECK(figures->count > 0);
  CHECK(figures->errors == 1);
  CHECK(figures->first_error == "no answer in time");
  CHECK(refused == 1);
}

TEST_CASE("a failover after which nobody answers has failed, and its gaps last until its end") {
  Bystander victim;
  const Load load = small_failover(victim);
  std::atomic<int> opened{0};
  const auto open = [&opened](const Load&) -> std::unique_ptr<Peer> {
    if (opened++ > 1) throw std::runtime_error("nobody listens");
    auto peer = std::make_unique<FakePeer>();
    peer->silent = 2;
    return peer;
  };
  const auto figures = run_failover(load, open, kUntold);
  REQUIRE(figures);
  CHECK(figures->failed == "no write was acknowledged any more");
  CHECK(figures->first_error == "no answer in time");
  CHECK(extra(*figures, "gap_after_kill_us") > 390'000);
}

TEST_CASE("a failover of a process that is not there measures nothing") {
  Bystander victim;
  Load load = small_failover(victim);
  victim.end(SIGKILL);
  const auto figures = run_failover(
      load, [](const Load&) { return std::make_unique<FakePeer>(); }, kUntold);
  REQUIRE(!figures);
  CHECK(figures.error().message.find("cannot be signalled") != std::string::npos);
}
