#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"

namespace holdfast::sim {

/// Which of them it is to be, each as often as it weighs. Returns: nothing if none weighs anything.
inline std::optional<std::size_t> draw_weighted(Random& random, const std::vector<std::uint64_t>& weights) {
  std::uint64_t all = 0;
  for (std::uint64_t weight : weights) all += weight;
  if (all == 0) return std::nullopt;
  std::uint64_t dice = random.below(all);
  std::size_t kind = 0;
  for (; dice >= weights[kind]; ++kind) dice -= weights[kind];
  return kind;
}

}  // namespace holdfast::sim
