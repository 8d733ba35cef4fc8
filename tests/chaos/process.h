#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace holdfast::chaos {

/// A program that was started here, and that ends with this process at the latest, however that ends: the
/// kernel kills it when the thread that started it is gone. Move-only by being neither copied nor moved.
class Process {
 public:
  Process() = default;
  /// Kills it if it still runs, and waits until it is gone.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Requires: it does not run; the calling thread outlives it. Output and errors go to the end of
  /// `log_file`. Errors: kStorage if it cannot be started.
  Result<void> start(const std::vector<std::string>& words, const std::string& log_file);
  /// Sends a signal if it runs.
  void send(int number);
  /// Waits until it has ended. Returns: false if it runs on after `limit`.
  bool wait_end(milliseconds limit);
  /// Returns: whether it has not ended yet, stopped or not.
  bool is_running() { return !wait_end(milliseconds(0)); }
  /// Kills it with SIGKILL, stopped or not, and waits until it is gone.
  void kill();

  int pid() const { return pid_; }  ///< 0: it does not run
  /// Of the last run: the exit status, or 128 + the number of the signal that ended it.
  int status() const { return status_; }

 private:
  void reap();

  int pid_ = 0;
  int handle_ = -1;  // a descriptor of the process
  int status_ = 0;
};

}  // namespace holdfast::chaos
