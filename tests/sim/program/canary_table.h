#pragma once

namespace holdfast::sim {

/// Hunts every canary and prints, a line each: its name, how many seeds it took, which promise it broke, and
/// the seed. Returns: all were found.
bool run_canaries(unsigned processes);

}  // namespace holdfast::sim
