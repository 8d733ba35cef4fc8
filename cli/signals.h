#pragma once

#include <csignal>
#include <optional>

namespace holdfast::cli {

/// The signals that matter to a command which holds something, as descriptors to poll instead of handlers.
/// Make it before the client: the client's thread inherits the mask, and a signal that one thread still takes
/// ends the process.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Readable while a SIGINT, SIGTERM, SIGHUP or SIGQUIT is to be heeded.
  int stop_descriptor() const { return stop_; }
  /// Readable while a SIGCHLD is to be heeded.
  int child_descriptor() const { return child_; }

  /// True if a signal to stop waits to be taken.
  bool is_stop_asked() const;
  /// Returns: the next signal to stop, or nothing if there is none. Never waits.
  std::optional<int> take_stop();
  /// Forgets the SIGCHLDs so far. Call it before looking at the child, so that none is missed.
  void take_child();

  /// As the process was started: what a child is to be given.
  const sigset_t& original_mask() const { return original_; }

 private:
  sigset_t original_;
  int stop_ = -1;
  int child_ = -1;
};

}  // namespace holdfast::cli
