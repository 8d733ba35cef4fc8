#pragma once

#include <memory>

#include "base/callback.h"
#include "base/time.h"
#include "net/event_loop.h"

namespace holdfast::net {

/// Calls back once, at a time. Destroying it cancels, whatever asio has queued already. Thread: the loop's.
class Alarm {
 public:
  explicit Alarm(EventLoop& loop);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// Runs `due` at `when` (by EventLoop::now()) or soon after; at once, but not inside this call, if that has
  /// passed. Replaces what was set before. `due` may set or destroy the alarm.
  void set(Instant when, Callback<void()> due);
  void set_after(Duration delay, Callback<void()> due);
  void cancel();

 private:
  class State;
  EventLoop& loop_;
  // Owners: this alarm, and each wait of asio's until its handler has run.
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::net
