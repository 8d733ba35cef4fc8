#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "state/event.h"
#include "state/reply.h"

namespace holdfast::state {

/// Comes to the same number on every member that applied the same commands with the same outcomes, and most
/// probably to another on one that did not. Eight bytes a step, since it runs over every command. The number
/// is stored and compared between versions: DO NOT CHANGE THE ARITHMETIC.
class RollingDigest {
 public:
  RollingDigest() = default;
  explicit RollingDigest(std::uint64_t value) : value_(value) {}

  void add(std::uint64_t number) {
    value_ = (value_ ^ number) * 0x9e3779b97f4a7c15;
    value_ ^= value_ >> 32;
  }
  void add(std::string_view bytes) {
    static_assert(std::endian::native == std::endian::little, "members must agree on the order of bytes");
    add(bytes.size());
    while (bytes.size() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof word);
      add(word);
      bytes.remove_prefix(sizeof word);
    }
    std::uint64_t rest = 0;
    if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
    add(rest);
  }
  void add(const Reply& reply);
  void add(const Event& event);

  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace holdfast::state
