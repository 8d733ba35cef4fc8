#include <catch2/catch.hpp>
#include <deque>
#include <string>
#include <vector>

#include "bench/compare/closed_loop.h"
#include "bench/compare/fan_out.h"

using namespace holdfast;
using namespace holdfast::bench;

namespace {

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
  void turn() override {
    for (const std::string& value : std::exchange(values_, {})) told_(value);
    if (waiting_.empty() || ++turns_ >= silent) return;
    const Done done = std::move(waiting_.front());
    waiting_.pop_front();
    done(turns_ % failing == 0 ? "it failed" : "");
  }

  std::size_t refused_lane = 1000;
  std::size_t failing = 1000;
  std::size_t silent = 1000;
  std::size_t heard = 1000;
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

Load small_load() {
  Load load;
  load.in_flight = 4;
  load.total = 20;
  load.watchers = 5;
  load.call_timeout = milliseconds(50);
  return load;
}

const std::function<void(const Progress&)> kUntold = [](const Progress&) {};

}  // namespace

TEST_CASE(
    "a closed loop starts as many operations as were asked for, and never more at once than there are "
    "lanes") {
  FakePeer peer;
  const auto figures = run_closed_loop(small_load(), peer, kUntold);
  REQUIRE(figures);
  CHECK(figures->count == 20);
  CHECK(figures->errors == 0);
  CHECK(figures->latencies.count() == 20);
  CHECK(peer.prepared == 4);
  CHECK(peer.most_in_flight == 4);
}

TEST_CASE("an operation of a closed loop that failed is an error and no latency, and its lane goes on") {
  FakePeer peer;
  peer.failing = 5;
  const auto figures = run_closed_loop(small_load(), peer, kUntold);
  REQUIRE(figures);
  CHECK(figures->count == 16);
  CHECK(figures->errors == 4);
  CHECK(figures->first_error == "it failed");
  CHECK(figures->latencies.count() == 16);
}

TEST_CASE("a closed loop whose service falls silent ends, and what was in flight are errors") {
  FakePeer peer;
  peer.silent = 7;
  const auto figures = run_closed_loop(small_load(), peer, kUntold);
  REQUIRE(figures);
  CHECK(figures->count == 6);
  CHECK(figures->errors == 4);
}

TEST_CASE("a lane that cannot be prepared is the reason why there are no figures") {
  FakePeer peer;
  peer.refused_lane = 2;
  const auto figures = run_closed_loop(small_load(), peer, kUntold);
  REQUIRE(!figures);
  CHECK(figures.error().message == "no");
}

TEST_CASE("a fan-out writes again when all were told, and counts each of them") {
  FakePeer peer;
  const auto figures = run_fan_out(small_load(), peer, kUntold);
  REQUIRE(figures);
  CHECK(peer.written == 20);
  CHECK(figures->count == 100);
  CHECK(figures->errors == 0);
}

TEST_CASE("a fan-out in which one watcher is not told ends there, with what is missing as errors") {
  FakePeer peer;
  peer.heard = 3;
  const auto figures = run_fan_out(small_load(), peer, kUntold);
  REQUIRE(figures);
  CHECK(peer.written == 4);
  CHECK(figures->count == 3 * 5 + 4);
  CHECK(figures->errors == 1);
}
