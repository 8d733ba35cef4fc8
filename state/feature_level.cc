#include "state/feature_level.h"

#include <string>

namespace holdfast::state {

std::uint16_t level_of(const Operation& operation) {
  const auto* remove = std::get_if<config::Delete>(&operation);
  return remove && remove->most ? level::kBoundedDeletes : level::kFirst;
}

Result<void> check_level(std::uint16_t needed, std::uint16_t cluster_level) {
  if (needed <= cluster_level) return {};
  return fail(Errc::kNotEnabled, "this needs feature level " + std::to_string(needed) +
                                     ", and the cluster is at " + std::to_string(cluster_level) +
                                     "; it rises when all members run a version that supports it");
}

}  // namespace holdfast::state
