#include "storage/file_digest.h"

#include <bit>
#include <cstring>

#include "storage/crc32c.h"

namespace holdfast::storage {
namespace {

// The golden ratio's fraction: odd, with bits set all over.
constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;

std::uint64_t stir(std::uint64_t mixed, std::uint64_t word) {
  return std::rotl((mixed ^ word) * kMultiplier, 29);
}

std::uint64_t little_endian(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

void append_hexadecimal(std::string& text, std::uint64_t number, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    text += "0123456789abcdef"[(number >> shift) & 15];
}

}  // namespace

void FileDigest::mix(std::uint64_t word) { mixed_ = stir(mixed_, word); }

void FileDigest::add(std::string_view bytes) {
  crc_ = crc32c(crc_, bytes);
  while (!bytes.empty()) {
    const unsigned place = length_ % 8;
    if (place == 0 && bytes.size() >= 8) {
      mix(little_endian(bytes.data()));
      bytes.remove_prefix(8);
      length_ += 8;
      continue;
    }
    word_ |= std::uint64_t{static_cast<unsigned char>(bytes.front())} << (8 * place);
    bytes.remove_prefix(1);
    ++length_;
    if (place == 7) {
      mix(word_);
      word_ = 0;
    }
  }
}

std::string FileDigest::text() const {
  std::string text;
  append_hexadecimal(text, crc_, 8);
  append_hexadecimal(text, stir(stir(mixed_, word_), length_), 16);
  return text;
}

}  // namespace holdfast::storage
