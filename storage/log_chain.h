#pragma once

#include <cstdint>
#include <string_view>

#include "raft/types.h"

namespace holdfast::storage {

/// Every row of the log carries a CRC-32C over itself and over the CRC of the row before it: a row that is
/// changed, missing, doubled or out of place breaks the chain. Ref: docs/formats/LOG.md, "Chain"
/// `payload` is the entry's as it is stored.
std::uint32_t chain_entry(std::uint32_t previous, const raft::Entry& entry, std::string_view payload);

/// What stands for everything at and below a compacted or installed entry whose own row is not there.
std::uint32_t chain_start(Index index, Term term);

}  // namespace holdfast::storage
