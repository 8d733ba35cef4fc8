#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"
#include "raft/types.h"

/// What the benchmarks work on: commands like those of a load with 19-byte keys and 256-byte values.
namespace holdfast::bench {

constexpr std::size_t kValueBytes = 256;

/// "/bench/key000000042"
std::string key_of(std::uint64_t number);
/// The log's bytes of a put.
Blob put_command(std::uint64_t number);
/// Entries first, first + 1, ... of one term, each with a put.
std::vector<raft::Entry> put_entries(Index first, Term term, std::size_t count);

}  // namespace holdfast::bench
