#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <asio/io_context.hpp>
#include <memory>

#include "base/callback.h"
#include "base/time.h"

namespace holdfast::net {

/// The one loop of a process (or of the SDK's thread): asio underneath, KJ on top. Whatever completes on io()
/// runs on the thread that runs the loop, and may fulfil KJ promises there.
///
/// It belongs to the thread that constructed it; promises of KJ work on that thread while it lives. Sockets,
/// streams and promises must be gone before it is. An exception that escapes from an asio handler is a bug
/// and ends the process: nobody could say what it left half done.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  asio::io_context& io();
  /// Unlike KJ's own, it reads the clock at every call: a delay asked for in an asio handler, after the loop
  /// slept, counts from now.
  kj::Timer& timer();
  kj::WaitScope& wait_scope();
  /// Thread: any.
  Instant now() const;

  /// Runs the loop until `promise` is done. Errors: its exception is thrown. Requires: not inside a handler.
  template <typename T>
  T run_until(kj::Promise<T> promise) {
    return promise.wait(wait_scope());
  }
  /// Runs the loop until stop(), also if that came first. It may be run again.
  void run();
  /// Thread: any, also a handler on the loop.
  void stop();
  /// Runs `task` later on the loop, behind all that already waits there. Thread: any.
  void post(Callback<void()> task);
  /// Runs `task` when the loop has done what is ready, behind the writing of what was queued for that before.
  /// Thread: the loop's.
  void at_end_of_turn(Callback<void()> task);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::net
