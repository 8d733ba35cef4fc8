#pragma once

#include <cstdint>
#include <string_view>

#include "base/blob.h"
#include "base/ids.h"

namespace holdfast::config {

enum class ChangeType : std::uint8_t { kPut = 0, kDelete = 1 };

/// One change of one key: what a watcher sees, and, if it is a put, the key's row until the next change. Its
/// key, value and numbers lie in one piece of memory that the table, the history, the image and every
/// watcher's queue share. Immutable; copying one copies a pointer.
class Change {
 public:
  struct Numbers {
    Revision create_revision;   ///< of the put that created the key
    Revision mod_revision;      ///< of this change
    std::uint64_t version = 0;  ///< puts since the key was created; starts at 1
    LeaseId lease;              ///< none if zero
    friend bool operator==(const Numbers&, const Numbers&) = default;
  };

  /// Both copy the bytes. Requires: a key of at most 64 KiB.
  static Change put(std::string_view key, std::string_view value, const Numbers& numbers);
  /// It has no value, and of the numbers only mod_revision.
  static Change deletion(std::string_view key, Revision at);

  ChangeType type() const { return static_cast<ChangeType>(text()[kTypeAt]); }
  bool is_put() const { return type() == ChangeType::kPut; }
  std::string_view key() const { return bytes_.view().substr(kKeyAt, key_bytes()); }
  std::string_view value() const { return bytes_.view().substr(kKeyAt + key_bytes()); }
  /// The value, and the change with it.
  Blob shared_value() const { return bytes_.part(value()); }
  const Numbers& numbers() const;
  Revision create_revision() const { return numbers().create_revision; }
  Revision mod_revision() const { return numbers().mod_revision; }
  Revision revision() const { return numbers().mod_revision; }
  std::uint64_t version() const { return numbers().version; }
  LeaseId lease() const { return numbers().lease; }

  /// Its numbers and its key, if that is not long, are fetched into the processor's cache. Always inline: a
  /// function that does nothing else is one without effects to GCC 12, which leaves the call out.
  [[gnu::always_inline]] void prefetch() const {
    __builtin_prefetch(text());
    __builtin_prefetch(text() + kLine);
  }

  friend bool operator==(const Change&, const Change&) = default;

 private:
  static constexpr std::size_t kLine = 64;  // of cache
  // numbers | bytes of the key | type | key | value
  static constexpr std::size_t kKeyBytesAt = sizeof(Numbers);
  static constexpr std::size_t kTypeAt = kKeyBytesAt + sizeof(std::uint16_t);
  static constexpr std::size_t kKeyAt = kTypeAt + sizeof(ChangeType);

  Change(ChangeType type, std::string_view key, std::string_view value, const Numbers& numbers);
  const char* text() const { return bytes_.view().data(); }
  std::size_t key_bytes() const;

  Blob bytes_;
};

}  // namespace holdfast::config
