#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::sim {

/// Runs jobs 0, 1, 2, ... in processes of their own, each of which takes the next one when it is done: worlds
/// share nothing, and one that dies takes no other with it.
struct Jobs {
  std::uint64_t count = 0;
  unsigned processes = 1;
  /// In a process of its own. Returns: what `done` is to be told, at most 3 KiB of it.
  std::function<std::string(std::uint64_t job)> work;
  /// May no further job begin?
  std::function<bool()> time_is_over;
  std::function<void(std::uint64_t job, const std::string& told)> done;
  /// Its process ended by a signal.
  std::function<void(std::uint64_t job, int signal)> died;

  void run();
};

}  // namespace holdfast::sim
