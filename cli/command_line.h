#pragma once

namespace holdfast::cli {

/// Reads the command line, runs the command it names, and returns the process's exit status: see
/// cli/command.h.
int run(int argc, char** argv);

}  // namespace holdfast::cli
