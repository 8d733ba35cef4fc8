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

/// What the options are read for: the loaders of other services (bench/compare) understand the same ones.
struct Program {
  std::string name = "holdfast-bench";
  std::string what = "Loads a Holdfast cluster and measures it.";
};

/// Returns: none if there is nothing to run: `status` is then what the process ends with, and whoever called
/// was told.
std::optional<CommandLine> read_command_line(int argc, char** argv, int& status, const Program& program = {});

}  // namespace holdfast::bench
