#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::storage {

/// A checksum over a whole file: 96 bits, at the speed of memory. It finds what disks, memory and software do
/// to bytes by accident; it is no protection from somebody who wants two files to look alike.
/// Members compare it: DO NOT CHANGE HOW IT IS COMPUTED (docs/formats/IMAGE.md).
class FileDigest {
 public:
  /// How the bytes are cut into calls does not matter.
  void add(std::string_view bytes);
  /// Returns: 24 hexadecimal digits.
  std::string text() const;

 private:
  void mix(std::uint64_t word);

  std::uint32_t crc_ = 0;     // CRC-32C of all bytes
  std::uint64_t mixed_ = 0;   // of whole words of eight bytes
  std::uint64_t word_ = 0;    // the bytes behind the last whole word, the first one lowest
  std::uint64_t length_ = 0;  // bytes so far
};

}  // namespace holdfast::storage
