#pragma once

#include <cstdint>

#include "state/command.h"

/// What may be proposed in a cluster whose members do not all run the same version.
///
/// Every entry names the level that a member needs to understand it (its format version). The cluster has a
/// level of its own, which is replicated state: the leader raises it, through the log, once every member has
/// announced that it supports more. Nothing above it is proposed, and should it be proposed all the same,
/// every machine refuses it alike. It never goes down. docs/decisions/0022-feature-levels.md
namespace holdfast::state {

/// DO NOT CHANGE OR REUSE THE NUMBERS.
namespace level {
constexpr std::uint16_t kFirst = 1;           ///< where every cluster begins
constexpr std::uint16_t kBoundedDeletes = 2;  ///< config::Delete::most
constexpr std::uint16_t kForgetsMembers = 3;  ///< a membership removes the rows of those it does not name
}  // namespace level

/// The highest level that this version understands.
constexpr std::uint16_t kSupportedLevel = level::kForgetsMembers;

/// What a member needs to understand this operation; goes into the entry as its format version.
std::uint16_t level_of(const Operation& operation);

/// Errors: kNotEnabled, for an operation that needs more than the cluster's level.
Result<void> check_level(std::uint16_t needed, std::uint16_t cluster_level);

}  // namespace holdfast::state
