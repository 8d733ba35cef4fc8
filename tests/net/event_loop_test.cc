#include "net/event_loop.h"

#include <asio/steady_timer.hpp>
#include <chrono>
#include <thread>

#include "net/alarm.h"
#include "net/end_of_turn.h"
#include "tests/net/loopback.h"

namespace holdfast::net::test {
namespace {

TEST_CASE("a timer of KJ ends the wait when it is due") {
  EventLoop loop;
  const Instant start = loop.now();
  loop.run_until(loop.timer().afterDelay(5 * kj::MILLISECONDS));
  CHECK(loop.now() - start >= milliseconds(5));
}

TEST_CASE("timers of KJ fire in the order of their times") {
  EventLoop loop;
  std::string order;
  const kj::TimePoint start = loop.timer().now();
  auto later = loop.timer()
                   .atTime(start + 8 * kj::MILLISECONDS)
                   .then([&order] { order += "b"; })
                   .eagerlyEvaluate(nullptr);
  auto sooner = loop.timer()
                    .atTime(start + 2 * kj::MILLISECONDS)
                    .then([&order] { order += "a"; })
                    .eagerlyEvaluate(nullptr);
  loop.run_until(kj::mv(later));
  loop.run_until(kj::mv(sooner));
  CHECK(order == "ab");
}

TEST_CASE("a delay that an asio handler asks for after a long sleep counts from now") {
  EventLoop loop;
  loop.run_until(loop.timer().afterDelay(1 * kj::MILLISECONDS));
  asio::steady_timer pause(loop.io(), std::chrono::milliseconds(30));
  auto woken = kj::newPromiseAndFulfiller<kj::Promise<void>>();
  Instant asked_at;
  pause.async_wait([&](asio::error_code) {
    asked_at = loop.now();
    woken.fulfiller->fulfill(loop.timer().afterDelay(20 * kj::MILLISECONDS));
  });
  loop.run_until(kj::mv(woken.promise));
  CHECK(loop.now() - asked_at >= milliseconds(20));
}

TEST_CASE("a task posted from another thread runs on the loop's thread") {
  EventLoop loop;
  std::thread::id ran_on;
  std::thread poster([&loop, &ran_on] {
    loop.post([&loop, &ran_on] {
      ran_on = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.run();
  poster.join();
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("many threads may post at once, and nothing is lost") {
  EventLoop loop;
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  int ran = 0;
  std::vector<std::thread> posters;
  for (int i = 0; i < kThreads; ++i) {
    posters.emplace_back([&loop, &ran] {
      for (int task = 0; task < kTasks; ++task) {
        loop.post([&loop, &ran] {
          if (++ran == kThreads * kTasks) {
            loop.stop();
          }
        });
      }
    });
  }
  loop.run();
  for (auto& poster : posters) {
    poster.join();
  }
  CHECK(ran == kThreads * kTasks);
}

TEST_CASE("a stop that comes before the run ends it at once") {
  EventLoop loop;
  loop.stop();
  loop.run();
  // And the loop can be run again.
  loop.post([&loop] { loop.stop(); });
  loop.run();
}

TEST_CASE("KJ's executor reaches the loop from another thread") {
  EventLoop loop;
  const kj::Executor& executor = kj::getCurrentThreadExecutor();
  int answer = 0;
  auto done = kj::newPromiseAndFulfiller<void>();
  std::thread caller([&executor, &answer, &done] {
    answer = executor.executeSync([&done] {
      done.fulfiller->fulfill();
      return 42;
    });
  });
  loop.run_until(kj::mv(done.promise));
  // executeSync() returns once the loop has reported back, which it has when the promise is done.
  caller.join();
  CHECK(answer == 42);
}

TEST_CASE("what the end of a turn gives KJ to do is done before the loop sleeps") {
  EventLoop loop;
  auto given = kj::newPromiseAndFulfiller<void>();
  asio::use_service<EndOfTurn>(loop.io()).add([&given] { given.fulfiller->fulfill(); });
  loop.run_until(kj::mv(given.promise));  // nothing else would ever wake it
}

TEST_CASE("a task that the end of a turn adds is run before the loop sleeps") {
  EventLoop loop;
  auto given = kj::newPromiseAndFulfiller<void>();
  auto& end_of_turn = asio::use_service<EndOfTurn>(loop.io());
  end_of_turn.add([&] { end_of_turn.add([&given] { given.fulfiller->fulfill(); }); });
  loop.run_until(kj::mv(given.promise));
}

/// Keeps KJ's queue from ever being empty.
kj::Promise<void> spin(const bool& over, std::uint64_t& turns) {
  if (over) {
    return kj::READY_NOW;
  }
  ++turns;
  return kj::evalLater([&over, &turns] { return spin(over, turns); });
}

TEST_CASE("timers and posted tasks get their turn while KJ always has work") {
  EventLoop loop;
  bool over = false;
  std::uint64_t turns = 0;
  int heartbeats = 0;
  asio::steady_timer heartbeat(loop.io());
  std::function<void()> beat = [&] {
    heartbeat.expires_after(std::chrono::milliseconds(1));
    heartbeat.async_wait([&](asio::error_code) {
      if (++heartbeats < 5) {
        beat();
      }
    });
  };
  beat();
  bool kj_timer_fired = false;
  auto kj_timer = loop.timer().afterDelay(3 * kj::MILLISECONDS).then([&] { kj_timer_fired = true; });
  auto kj_timer_running = kj_timer.eagerlyEvaluate(nullptr);
  auto spinning = spin(over, turns).eagerlyEvaluate(nullptr);
  std::function<void()> look = [&] {
    over = heartbeats == 5 && kj_timer_fired;
    if (!over) {
      loop.post([&look] { look(); });
    }
  };
  look();
  loop.run_until(kj::mv(spinning));
  CHECK(heartbeats == 5);
  CHECK(turns > 64);
}

TEST_CASE("an alarm runs once, at its time, and the last setting counts") {
  EventLoop loop;
  Alarm alarm(loop);
  std::string ran;
  const Instant start = loop.now();
  alarm.set_after(milliseconds(1), [&ran] { ran += "a"; });
  alarm.set(start + milliseconds(5), [&ran] { ran += "b"; });
  run_until(loop, [&ran] { return !ran.empty(); });
  CHECK(loop.now() - start >= milliseconds(5));
  settle(loop);
  CHECK(ran == "b");
}

TEST_CASE("an alarm that is due already still cannot run once it is cancelled") {
  EventLoop loop;
  std::string ran;
  Alarm other(loop);
  auto alarm = std::make_unique<Alarm>(loop);
  // Both are due, so asio queues both handlers; the first destroys the second's alarm.
  other.set(loop.now() - milliseconds(2), [&] {
    ran += "first";
    alarm.reset();
  });
  alarm->set(loop.now() - milliseconds(1), [&ran] { ran += "second"; });
  run_until(loop, [&ran] { return !ran.empty(); });
  settle(loop);
  CHECK(ran == "first");
}

TEST_CASE("an alarm may be set again by what it runs") {
  EventLoop loop;
  Alarm alarm(loop);
  int ran = 0;
  std::function<void()> again = [&] {
    if (++ran < 3) {
      alarm.set_after(Duration::zero(), [&again] { again(); });
    }
  };
  again();
  run_until(loop, [&ran] { return ran == 3; });
}

}  // namespace
}  // namespace holdfast::net::test
