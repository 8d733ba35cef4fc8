#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast {

/// FNV-1a over 64 bits: stable over versions and machines, for ids and for comparing replicas. Not for
/// secrets and not for detecting disk errors.
class Digest {
 public:
  constexpr Digest() = default;
  constexpr explicit Digest(std::uint64_t start) : value_(start) {}

  constexpr Digest& add(std::string_view bytes) {
    add(bytes.size());
    for (char c : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(c)) * kPrime;
    }
    return *this;
  }
  constexpr Digest& add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      value_ = (value_ ^ ((number >> shift) & 0xff)) * kPrime;
    }
    return *this;
  }
  constexpr std::uint64_t value() const { return value_; }

 private:
  static constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace holdfast
