#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "cli/child_process.h"
#include "cli/signals.h"

/// What `lock` and `register` do while they hold: wait for the first thing that ends it.
namespace holdfast::cli {

using std::chrono::milliseconds;

/// The news that what was held is lost; it comes on the client's thread and wakes a poll() on this one.
class Loss {
 public:
  Loss();
  ~Loss();
  Loss(const Loss&) = delete;
  Loss& operator=(const Loss&) = delete;

  /// Thread: any.
  void notify();
  bool is_notified() const { return notified_; }
  int descriptor() const { return descriptor_; }

 private:
  std::atomic<bool> notified_ = false;
  int descriptor_ = -1;
};

/// What is held.
struct Held {
  milliseconds ttl;                        ///< of its lease
  std::function<milliseconds()> safe_for;  ///< how long it is certainly still ours; zero: it may be another's
  const Loss& loss;                        ///< the cluster said so
};

enum class HoldEnd {
  kStopped,       ///< a signal
  kInputEnded,    ///< end of standard input
  kCommandEnded,  ///< see ChildProcess::ended()
  kLost,
};

/// Without COMMAND: until a signal to stop, the end of standard input, or loss.
HoldEnd hold(const Held& held, Signals& signals);
/// Until a signal to stop, and nothing else.
void hold_until_stopped(Signals& signals);

/// With COMMAND: until it ends, whatever made it, or what is held is lost. Signals to stop are passed on to
/// its group.
///
///     safe_for()  ttl ............ SIGTERM lead .... SIGKILL lead .... 0
///                 holding, renewed | group: SIGTERM  | group: SIGKILL  | another may hold it
///
/// When it returns kLost, nothing of the group runs any more.
HoldEnd hold_for_command(const Held& held, Signals& signals, ChildProcess& command);

}  // namespace holdfast::cli
