#include "net/event_loop.h"

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <exception>
#include <string>

#include "base/check.h"
#include "net/end_of_turn.h"

namespace holdfast::net {
namespace {

// KJ events in a row before I/O is looked at: KJ by itself never looks while it has work, and heartbeats
// would wait for as long as clients keep asking.
constexpr unsigned kEventsBetweenPolls = 64;
// How long there may be work until the patient are served all the same. A loop that is busy for so long has a
// queue of calls that are answered later than this anyhow.
constexpr auto kMostPatience = 10 * kj::MILLISECONDS;
// Asio handlers in a row before KJ's events get their turn.
constexpr int kHandlersPerTurn = 64;

kj::TimePoint steady_now() {
  const auto since_epoch = std::chrono::steady_clock::now().time_since_epoch();
  return kj::origin<kj::TimePoint>() +
         std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count() * kj::NANOSECONDS;
}

std::chrono::steady_clock::time_point to_chrono(kj::TimePoint when) {
  const auto nanoseconds = (when - kj::origin<kj::TimePoint>()) / kj::NANOSECONDS;
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanoseconds));
}

/// Tells the time as it is, not as it was when the loop last advanced its timers.
class FreshTimer final : public kj::Timer {
 public:
  FreshTimer() : timers_(steady_now()) {}

  kj::TimePoint now() const override { return steady_now(); }
  kj::Promise<void> atTime(kj::TimePoint time) override { return timers_.atTime(time); }
  kj::Promise<void> afterDelay(kj::Duration delay) override { return timers_.atTime(steady_now() + delay); }

  void fire_due() { timers_.advanceTo(kj::max(steady_now(), timers_.now())); }
  kj::Maybe<kj::TimePoint> next() { return timers_.nextEvent(); }
  bool due() {
    kj::Maybe<kj::TimePoint> when = next();
    KJ_IF_MAYBE (at, when) {
      return *at <= steady_now();
    }
    return false;
  }

 private:
  kj::TimerImpl timers_;
};

/// Where KJ waits for the world. Ref: kj/async.h, EventPort
class AsioPort final : public kj::EventPort {
 public:
  AsioPort()
      : io_(1), work_(io_.get_executor()), end_of_turn_(asio::use_service<EndOfTurn>(io_)), alarm_(io_) {}

  /// Before anything else.
  void belongs_to(kj::EventLoop& loop) { loop_ = &loop; }

  bool wait() override {
    // KJ has nothing left to do: what it has written leaves now.
    end_turn();
    serve_patient();
    // Flushing may have given KJ work again: then nothing is waited for.
    if (!loop_->isRunnable() && end_of_turn_.empty() && !timer_.due()) {
      set_alarm();
      run_handlers([this] { io_.run_one(); });
      patient_since_ = steady_now();
    }
    return look_around();
  }

  bool poll() override {
    end_turn();
    if (steady_now() - patient_since_ >= kMostPatience) {
      serve_patient();
    }
    return look_around();
  }

  void setRunnable(bool) override {}  // the loop always runs inside run_until(): nobody else has to be told

  void wake() const override {
    woken_.store(true, std::memory_order_release);
    asio::post(io_, [] {});
  }

  asio::io_context& io() { return io_; }
  kj::Timer& timer() { return timer_; }

 private:
  /// Runs what is ready now.
  bool look_around() {
    run_handlers([this] {
      int handlers = 0;
      while (handlers < kHandlersPerTurn && !end_of_turn_.ends() && io_.poll_one() > 0) {
        ++handlers;
      }
    });
    timer_.fire_due();
    return woken_.exchange(false, std::memory_order_acq_rel);
  }

  void end_turn() {
    run_handlers([this] { end_of_turn_.run(); });
  }
  void serve_patient() {
    run_handlers([this] { end_of_turn_.run_patient(); });
    patient_since_ = steady_now();
  }

  template <typename Run>
  void run_handlers(Run run) {
    try {
      run();
    } catch (const kj::Exception& exception) {
      invariant_broken(__FILE__, __LINE__, kj::str(exception).cStr(), "a handler of the loop let it out");
    } catch (const std::exception& exception) {
      invariant_broken(__FILE__, __LINE__, exception.what(), "a handler of the loop let it out");
    }
  }

  /// Lets asio end the wait when KJ's next timer is due.
  void set_alarm() {
    kj::Maybe<kj::TimePoint> next = timer_.next();
    KJ_IF_MAYBE (when, next) {
      if (alarm_set_ && alarm_at_ == *when) {
        return;
      }
      alarm_set_ = true;
      alarm_at_ = *when;
      alarm_.expires_at(to_chrono(*when));
      alarm_.async_wait([this, when = *when](asio::error_code) {
        if (alarm_at_ == when) {
          alarm_set_ = false;
        }
      });
    }
  }

  mutable asio::io_context io_;  // wake() is const, and posting from another thread is what io_context is for
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  mutable std::atomic<bool> woken_{false};
  kj::EventLoop* loop_ = nullptr;
  EndOfTurn& end_of_turn_;
  kj::TimePoint patient_since_ = steady_now();

  FreshTimer timer_;
  asio::steady_timer alarm_;
  bool alarm_set_ = false;
  kj::TimePoint alarm_at_ = kj::origin<kj::TimePoint>();
};

}  // namespace

class EventLoop::Impl {
 public:
  Impl() : loop(port), scope(loop) {
    port.belongs_to(loop);
    scope.setBusyPollInterval(kEventsBetweenPolls);
  }

  AsioPort port;
  kj::EventLoop loop;
  kj::WaitScope scope;
  bool stopped = false;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> stop;
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

asio::io_context& EventLoop::io() { return impl_->port.io(); }
kj::Timer& EventLoop::timer() { return impl_->port.timer(); }
kj::WaitScope& EventLoop::wait_scope() { return impl_->scope; }

Instant EventLoop::now() const {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

void EventLoop::run() {
  if (!impl_->stopped) {
    auto stop = kj::newPromiseAndFulfiller<void>();
    impl_->stop = kj::mv(stop.fulfiller);
    run_until(kj::mv(stop.promise));
    impl_->stop = nullptr;
  }
  impl_->stopped = false;
}

void EventLoop::stop() {
  asio::post(io(), [this] {
    impl_->stopped = true;
    KJ_IF_MAYBE (stop, impl_->stop) {
      (*stop)->fulfill();
    }
  });
}

void EventLoop::post(Callback<void()> task) { asio::post(io(), std::move(task)); }

void EventLoop::at_end_of_turn(Callback<void()> task) {
  asio::use_service<EndOfTurn>(io()).add(std::move(task));
}

}  // namespace holdfast::net
