#pragma once

#include <mutex>
#include <thread>

#include "base/callback.h"
#include "net/event_loop.h"

namespace holdfast::sdk {

/// The client's one thread, and the loop it runs. Everything that talks to the service lives there.
class IoThread {
 public:
  IoThread() = default;
  /// Stops it.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// Starts the thread, which runs `body` with its loop and ends when that returns. Once. Returns when tasks
  /// can be posted.
  void start(Callback<void(net::EventLoop&)> body);
  /// Runs `task` on the thread; drops it if the thread has not started or is at its end. Thread: any.
  void post(Callback<void()> task);
  /// Ends the loop's run() and waits for the thread. Thread: any but its own.
  void stop();
  /// True on this thread itself, where waiting for it would never end.
  bool is_current() const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  net::EventLoop* loop_ = nullptr;  ///< null before it runs and when it is at its end
  std::thread::id id_;

  std::thread thread_;  ///< touched by start() and stop() only
};

}  // namespace holdfast::sdk
