#include "storage/log_chain.h"

#include "storage/crc32c.h"

namespace holdfast::storage {

std::uint32_t chain_entry(std::uint32_t previous, const raft::Entry& entry, std::string_view payload) {
  std::uint32_t crc = crc32c_number(previous, entry.index.value());
  crc = crc32c_number(crc, entry.term.value());
  crc = crc32c_number(crc, static_cast<std::uint64_t>(entry.kind));
  return crc32c(crc, payload);
}

std::uint32_t chain_start(Index index, Term term) {
  return crc32c_number(crc32c_number(0, index.value()), term.value());
}

}  // namespace holdfast::storage
