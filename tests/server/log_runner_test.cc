#include "server/log_runner.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

using namespace holdfast;
using namespace holdfast::server;

namespace {

/// Counts its turns; the last one is the first that begins when `ends` is set.
struct Turns {
  storage::Runner::Turn turn() {
    return [this]() -> std::optional<storage::Tidied> {
      const bool last = ends;
      ++count;
      count.notify_all();
      if (last) return std::nullopt;
      return storage::Tidied::kAll;
    };
  }
  void await(int wanted) {
    for (int seen = count; seen < wanted; seen = count) count.wait(seen);
  }

  std::atomic<int> count{0};
  std::atomic<bool> ends{false};
};

}  // namespace

TEST_CASE("the log's thread is woken when what was queued before it in this turn of the loop has left") {
  net::EventLoop loop;
  Turns turns;
  LogRunner runner(loop);
  runner.start(turns.turn());
  turns.await(1);
  int turns_when_sent = 0;
  loop.post([&] {
    loop.at_end_of_turn([&] { turns_when_sent = turns.count; });
    runner.wake();
    runner.wake();
    loop.at_end_of_turn([&] { loop.stop(); });
  });
  loop.run();
  CHECK(turns_when_sent == 1);
  turns.await(2);
  turns.ends = true;
  runner.stop();
  CHECK(turns.count == 3);  // two calls in one turn were one, and the last is the stop's
}

TEST_CASE("a thread beside the loop wakes the log's thread at once") {
  net::EventLoop loop;
  Turns turns;
  LogRunner runner(loop);
  runner.start(turns.turn());
  turns.await(1);
  std::thread([&] { runner.wake(); }).join();
  turns.await(2);
  turns.ends = true;
  runner.stop();
}

TEST_CASE(
    "what was added before a stop is done though the loop has no further turn, and none is missed by it") {
  net::EventLoop loop;
  Turns turns;
  {
    LogRunner runner(loop);
    runner.start(turns.turn());
    turns.await(1);
    runner.wake();
    turns.ends = true;
    runner.stop();
    CHECK(turns.count == 2);
  }
  loop.post([&] { loop.at_end_of_turn([&] { loop.stop(); }); });
  loop.run();  // the wake that was due finds nobody
  CHECK(turns.count == 2);
}
