#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/time.h"

namespace holdfast::test {

/// A holdfastd of its own, ended with the test whatever happens.
class Process {
 public:
  /// `arguments` without the program; its stderr and stdout are gathered.
  explicit Process(std::vector<std::string> arguments);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Reads output until it contains `text`. Returns: false if it ended, or ten seconds passed, before.
  bool wait_for(const std::string& text);
  void signal(int number);
  /// Waits for its end, at most ten seconds. Returns: its exit status; -1 if it did not end, or not by
  /// itself.
  int wait();
  const std::string& output() const { return output_; }

 private:
  bool read_some(milliseconds limit);

  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string output_;
};

}  // namespace holdfast::test
