#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::storage {

/// CRC-32C (Castagnoli), by the processor's instruction where it has one.
/// `crc` is that of what came before; 0 to begin. Ref: RFC 3720, appendix B.4
std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes);
/// The same without the instruction.
std::uint32_t crc32c_by_table(std::uint32_t crc, std::string_view bytes);

/// Takes the eight bytes of `number`, least significant first.
std::uint32_t crc32c_number(std::uint32_t crc, std::uint64_t number);
/// Continues a checksum with a text: its length and its bytes.
std::uint32_t crc32c_text(std::uint32_t crc, std::string_view text);

}  // namespace holdfast::storage
