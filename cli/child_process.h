#pragma once

#include <sys/types.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace holdfast::cli {

/// COMMAND: a child in a process group of its own, so that everything it starts can be ended with it. At a
/// terminal the group is put into the foreground, as a shell would: keys such as Ctrl-C and Ctrl-Z are its
/// own.
class ChildProcess {
 public:
  using Exports = std::vector<std::pair<std::string, std::string>>;
  struct StartError {
    int exit_status = 0;  ///< as shells have it: 127 not found, 126 not to be executed
    std::string message;
  };

  /// Starts `command` (not empty; found through PATH) with standard input and output, the environment and
  /// `exports` added to it, and `mask` as its signal mask.
  static tl::expected<std::unique_ptr<ChildProcess>, StartError> start(
      const std::vector<std::string>& command, const Exports& exports, const sigset_t& mask);
  /// A group that still runs is killed.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Looks at the child without waiting. Returns: its exit status once it has ended, 128 + N if signal N
  /// ended it. The process itself stays until this object goes, so its group's number cannot become
  /// another's.
  std::optional<int> ended();
  /// True once, each time the child was stopped (by Ctrl-Z, say).
  bool take_stopped();
  /// To every process of the group; one that is stopped gets to see it.
  void signal_group(int signal);

  /// True if the terminal was given to the group.
  bool has_terminal() const { return has_terminal_; }
  /// Takes the terminal back; gives it again if this process is in the foreground.
  void take_terminal();
  void give_terminal();

 private:
  ChildProcess(pid_t process, bool has_terminal) : process_(process), has_terminal_(has_terminal) {}

  const pid_t process_;  ///< also the number of its group
  bool has_terminal_;
  std::optional<int> status_;
};

}  // namespace holdfast::cli
