#pragma once

#include <cstdint>
#include <string>

namespace holdfast::sim {

/// Which worlds to run, and what to print of them.
struct Batch {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 1;
  double minutes = 0;  ///< zero: as long as it takes
  unsigned processes = 1;
  bool trace = false;
  bool trace_hash = false;
  bool sqlite = false;  ///< every world on the real store, not a tenth
  std::string canary;   ///< empty: none
};

/// Prints a line a seed, or one now and then if they are many; every failure with the command that replays
/// it; and at the end `seeds=... failed=... events=... events_per_second=...`. Returns: none failed.
bool run_batch(const Batch& batch);

}  // namespace holdfast::sim
