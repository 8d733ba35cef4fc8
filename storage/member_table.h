#pragma once

#include <cstdint>
#include <string_view>

#include "raft/types.h"
#include "storage/sqlite.h"

/// Table `members` of the log database: who took part, at one stage or another of the log.
namespace holdfast::storage {

/// When a membership held. Stored as text: DO NOT CHANGE THE WORDS.
inline constexpr std::string_view kFounding = "founding";  ///< before the first entry
inline constexpr std::string_view kAtBase = "base";        ///< as of the last compacted or installed entry

/// Returns: an empty membership if there is none of this stage.
raft::Membership read_members(Connection& connection, std::string_view stage);
/// Replaces the stage's rows. Requires: a transaction.
void write_members(Connection& connection, std::string_view stage, const raft::Membership& membership);
/// The CRC-32C of docs/formats/LOG.md, "Chain", begun from `crc`.
std::uint32_t add_members(std::uint32_t crc, const raft::Membership& membership);

}  // namespace holdfast::storage
