#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/invariant.h"

/// Bugs that can be switched on, one at a time, to see that the checks find them. None of the checks knows
/// their names; their worlds are drawn like any others.
namespace holdfast::sim {

struct Canary {
  std::string_view name;  ///< of its HOLDFAST_CANARY hooks
  std::string_view story;
  /// It is killed within so many seeds, counted from 1, or it counts as alive.
  std::uint64_t most_seeds;
};

const std::vector<Canary>& canaries();
/// Null: there is none of that name.
const Canary* find_canary(std::string_view name);

/// Switches one on as long as it lives.
class CanarySwitch {
 public:
  explicit CanarySwitch(std::string_view name);
  ~CanarySwitch();
  CanarySwitch(const CanarySwitch&) = delete;
  CanarySwitch& operator=(const CanarySwitch&) = delete;
};

struct Kill {
  std::uint64_t seed = 0;
  Invariant invariant = Invariant::kAssertion;
  std::string what;
};

/// Runs worlds from seed 1 on with the canary in them. Returns: the first that breaks a promise which it
/// keeps without the canary. That the code itself notices, by an INVARIANT, is not enough: a mistake in an
/// assertion must not hide one in a promise.
std::optional<Kill> hunt(const Canary& canary);

}  // namespace holdfast::sim
