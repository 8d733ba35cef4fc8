#include "storage/crc32c.h"

#include <array>
#include <cstring>

namespace holdfast::storage {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, bits reversed

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) ? kPolynomial : 0);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::uint32_t crc,
                                                                      std::string_view bytes) {
  std::uint64_t rest = static_cast<std::uint32_t>(~crc);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    rest = __builtin_ia32_crc32di(rest, word);
  }
  auto narrow = static_cast<std::uint32_t>(rest);
  for (; left > 0; --left, ++at) {
    narrow = __builtin_ia32_crc32qi(narrow, static_cast<unsigned char>(*at));
  }
  return ~narrow;
}

/// Of its eight bytes, least significant first.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_word_by_instruction(std::uint32_t crc,
                                                                           std::uint64_t word) {
  return ~static_cast<std::uint32_t>(__builtin_ia32_crc32di(static_cast<std::uint32_t>(~crc), word));
}

bool by_instruction() {
  static const bool there_is_one = __builtin_cpu_supports("sse4.2") != 0;
  return there_is_one;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(std::uint32_t crc, std::string_view bytes) {
  std::uint32_t rest = ~crc;
  for (const char byte : bytes) {
    rest = (rest >> 8) ^ kTable[(rest ^ static_cast<unsigned char>(byte)) & 0xff];
  }
  return ~rest;
}

std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  if (by_instruction()) return crc32c_by_instruction(crc, bytes);
#endif
  return crc32c_by_table(crc, bytes);
}

std::uint32_t crc32c_number(std::uint32_t crc, std::uint64_t number) {
#if defined(__x86_64__)
  if (by_instruction()) return crc32c_word_by_instruction(crc, number);
#endif
  char bytes[8];
  for (char& byte : bytes) {
    byte = static_cast<char>(number & 0xff);
    number >>= 8;
  }
  return crc32c(crc, std::string_view(bytes, sizeof bytes));
}

std::uint32_t crc32c_text(std::uint32_t crc, std::string_view text) {
  return crc32c(crc32c_number(crc, text.size()), text);
}

}  // namespace holdfast::storage
