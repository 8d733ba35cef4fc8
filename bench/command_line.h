#pragma once

#include <optional>
#include <string>

#include "bench/load.h"

namespace holdfast::bench {

/// What holdfast-bench was asked for.
struct CommandLine {
  std::string op;
  Load load;
  bool json = false;
  std::string plot;  ///< a file; empty: none
};

/// Returns: none if there is nothing to run: `status` is then what the process ends with, and whoever called
/// was told.
std::optional<CommandLine> read_command_line(int argc, char** argv, int& status);

}  // namespace holdfast::bench
