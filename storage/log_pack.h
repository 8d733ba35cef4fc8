#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "raft/types.h"

namespace holdfast::storage {

/// One row of table `log`: consecutive entries of one term, one behind the other. A row an entry would cost
/// several times as much. Layout: docs/formats/LOG.md, "Packs"
struct LogPack {
  Index first;
  Index last;
  Term term;
  /// CRC-32C over this pack and over the chain of the pack before it: a pack that is changed, missing,
  /// doubled or out of place breaks the chain.
  std::uint32_t chain = 0;
  std::string entries;
};

/// What LogPack::chain has to be behind a pack with chain `previous`.
std::uint32_t chain_of(const LogPack& pack, std::uint32_t previous);

/// What the chain begins from behind an installed entry that the log never held.
std::uint32_t chain_start(Index index, Term term);

/// Bytes that an entry takes in a pack, at most.
constexpr std::size_t packed_bytes(std::size_t payload_bytes) { return 6 + payload_bytes; }

/// Adds an entry to LogPack::entries. `payload` is the entry's as it is stored.
void add_to_pack(std::string& entries, raft::EntryKind kind, std::string_view payload);

struct PackedEntry {
  raft::EntryKind kind = raft::EntryKind::kNoop;
  std::string_view payload;  ///< in the bytes that the reader was given
};

/// Takes LogPack::entries apart.
class PackReader {
 public:
  explicit PackReader(std::string_view entries) : rest_(entries), size_(entries.size()) {}

  bool at_end() const { return rest_.empty(); }
  /// Bytes of the entries that were taken.
  std::size_t bytes_taken() const { return size_ - rest_.size(); }
  /// Returns: nothing if no whole entry is left.
  std::optional<PackedEntry> next();

 private:
  std::string_view rest_;
  std::size_t size_;
};

}  // namespace holdfast::storage
