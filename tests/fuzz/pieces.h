#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// How one input carries several: each piece behind its length, two bytes, little-endian. Any bytes are some
/// list of pieces; the last one may be cut short.
namespace holdfast::fuzz {

inline std::vector<std::string_view> pieces_of(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  while (bytes.size() >= 2) {
    const std::size_t length = static_cast<unsigned char>(bytes[0]) |
                               static_cast<std::size_t>(static_cast<unsigned char>(bytes[1])) << 8;
    pieces.push_back(bytes.substr(2, length));
    bytes.remove_prefix(2 + pieces.back().size());
  }
  return pieces;
}

inline void add_piece(std::string& bytes, std::string_view piece) {
  bytes += static_cast<char>(piece.size() & 0xff);
  bytes += static_cast<char>(piece.size() >> 8 & 0xff);
  bytes += piece;
}

/// Takes numbers and texts off an input; zeros once it is used up.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }
  /// One byte if below 0xf8, else the eight that follow: small numbers are what tables are made of.
  std::uint64_t number() {
    const std::uint8_t first = byte();
    if (first < 0xf8) return first;
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | byte();
    return number;
  }
  std::string_view text() {
    const std::string_view text = bytes_.substr(0, byte());
    bytes_.remove_prefix(text.size());
    return text;
  }

 private:
  std::string_view bytes_;
};

inline void add_number(std::string& bytes, std::uint64_t number) {
  if (number < 0xf8) {
    bytes += static_cast<char>(number);
    return;
  }
  bytes += '\xff';
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
}

inline void add_text(std::string& bytes, std::string_view text) {
  text = text.substr(0, 0xff);
  bytes += static_cast<char>(text.size());
  bytes += text;
}

}  // namespace holdfast::fuzz
