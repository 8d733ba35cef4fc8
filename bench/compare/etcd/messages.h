#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// gRPC's messages within a stream of bytes: a byte that is 0 (not compressed), the length in four bytes,
/// big-endian, and the message.
namespace holdfast::bench::etcd {

inline constexpr std::size_t kPrefixBytes = 5;

/// Writes what stands before a message of `length` bytes to `prefix`, which has room for kPrefixBytes.
void write_prefix(char* prefix, std::size_t length);

/// Puts messages together again that arrive in pieces.
class Messages {
 public:
  /// Tells `take` each message that ends within `piece`; it holds during the call. Returns: false if what
  /// arrived is no message, or one that is compressed, which nobody asked for.
  template <typename Take>
  bool read(std::string_view piece, Take take) {
    if (!rest_.empty()) {
      rest_.append(piece);
      piece = rest_;
    }
    while (piece.size() >= kPrefixBytes) {
      if (piece[0] != 0) return false;
      const std::size_t length = length_of(piece);
      if (piece.size() - kPrefixBytes < length) break;
      take(piece.substr(kPrefixBytes, length));
      piece.remove_prefix(kPrefixBytes + length);
    }
    rest_ = std::string(piece);
    return true;
  }
  /// Whether the last message ended with what was read.
  bool complete() const { return rest_.empty(); }

 private:
  static std::size_t length_of(std::string_view prefix);

  std::string rest_;  // of a message whose end has not arrived
};

}  // namespace holdfast::bench::etcd
