#pragma once

/// Where the simulator can put a bug, to see whether its checks find it: `if (HOLDFAST_CANARY(name))` is
/// followed by what a mistake there would do. The simulator compiles the sources a second time, with
/// HOLDFAST_SIMULATION, and switches one on by name; everywhere else the condition is the constant `false`
/// and nothing of it is in the program. Ref: docs/decisions/0021-canaries.md
#ifdef HOLDFAST_SIMULATION

#include <cstdint>
#include <string_view>

namespace holdfast::canary {

constexpr std::uint64_t id(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (char each : name) hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001b3;
  return hash;
}

/// The one that is switched on; zero: none. A process of the simulator has one thread.
inline std::uint64_t active = 0;

}  // namespace holdfast::canary

#define HOLDFAST_CANARY(name) (::holdfast::canary::active == ::holdfast::canary::id(#name))

#else

#define HOLDFAST_CANARY(name) false

#endif
