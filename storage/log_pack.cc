#include "storage/log_pack.h"

#include "storage/crc32c.h"

namespace holdfast::storage {
namespace {

// Bytes of a length: seven bits each, least significant first, the highest bit of all but the last set.
constexpr std::size_t kLengthBytes = 5;
constexpr unsigned kMore = 0x80;

}  // namespace

std::uint32_t chain_of(const LogPack& pack, std::uint32_t previous) {
  std::uint32_t crc = crc32c_number(previous, pack.first.value());
  crc = crc32c_number(crc, pack.last.value());
  crc = crc32c_number(crc, pack.term.value());
  return crc32c(crc, pack.entries);
}

std::uint32_t chain_start(Index index, Term term) {
  return crc32c_number(crc32c_number(0, index.value()), term.value());
}

void add_to_pack(std::string& entries, raft::EntryKind kind, std::string_view payload) {
  char head[1 + kLengthBytes];
  std::size_t bytes = 0;
  head[bytes++] = static_cast<char>(kind);
  std::size_t length = payload.size();
  for (; length >= kMore; length >>= 7) head[bytes++] = static_cast<char>((length & (kMore - 1)) | kMore);
  head[bytes++] = static_cast<char>(length);
  entries.append(head, bytes).append(payload);
}

std::optional<PackedEntry> PackReader::next() {
  if (rest_.empty()) return std::nullopt;
  PackedEntry entry;
  entry.kind = static_cast<raft::EntryKind>(static_cast<std::uint8_t>(rest_.front()));
  std::uint64_t length = 0;
  std::size_t at = 1;
  for (;; ++at) {
    if (at > kLengthBytes || at >= rest_.size()) return std::nullopt;
    const auto byte = static_cast<std::uint8_t>(rest_[at]);
    length |= static_cast<std::uint64_t>(byte & (kMore - 1)) << (7 * (at - 1));
    if (byte < kMore) break;
  }
  ++at;
  if (length > rest_.size() - at) return std::nullopt;
  entry.payload = rest_.substr(at, static_cast<std::size_t>(length));
  rest_.remove_prefix(at + static_cast<std::size_t>(length));
  return entry;
}

}  // namespace holdfast::storage
