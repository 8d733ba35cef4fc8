#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::sim {

/// What happened in a world, counted: a world in which nothing happens keeps every promise.
enum class Figure : std::size_t {
  kCompacted,      ///< a member's log begins further on
  kImage,          ///< an image was installed in place of a log
  kAdded,          ///< a learner, by a committed membership, as those below
  kPromoted,       ///< a learner became a voter
  kRemoved,        ///< whatever it was
  kReplaced,       ///< voters went and came in one step
  kLeaderRemoved,  ///< it committed its own removal
  kRolledBack,     ///< a membership was taken back with its entry
  kHandedOver,     ///< leadership went where it was sent
  kWiped,          ///< a disk was lost
  kEnded,          ///< a process ended because a majority refused it
};
constexpr std::size_t kFigures = 11;

using Figures = std::array<std::uint64_t, kFigures>;

/// As a line of figures shows it: "rolled_back".
constexpr std::string_view name_of(Figure figure) {
  constexpr std::string_view kNames[kFigures] = {"compacted",   "images",   "added",          "promoted",
                                                 "removed",     "replaced", "leader_removed", "rolled_back",
                                                 "handed_over", "wiped",    "ended"};
  return kNames[static_cast<std::size_t>(figure)];
}

}  // namespace holdfast::sim
