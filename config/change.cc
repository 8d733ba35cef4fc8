#include "config/change.h"

#include <cstring>
#include <limits>
#include <new>
#include <type_traits>

#include "base/check.h"

namespace holdfast::config {

// They are compared as the bytes that they are.
static_assert(std::has_unique_object_representations_v<Change::Numbers>);

Change::Change(ChangeType type, std::string_view key, std::string_view value, const Numbers& numbers)
    : bytes_(Blob::written(kKeyAt + key.size() + value.size(), [&](char* to) {
        new (to) Numbers(numbers);
        const auto key_bytes = static_cast<std::uint16_t>(key.size());
        std::memcpy(to + kKeyBytesAt, &key_bytes, sizeof key_bytes);
        to[kTypeAt] = static_cast<char>(type);
        key.copy(to + kKeyAt, key.size());
        value.copy(to + kKeyAt + key.size(), value.size());
      })) {}

Change Change::put(std::string_view key, std::string_view value, const Numbers& numbers) {
  INVARIANT(key.size() <= std::numeric_limits<std::uint16_t>::max(), "a key's size is a 16-bit number");
  return Change(ChangeType::kPut, key, value, numbers);
}

Change Change::deletion(std::string_view key, Revision at) {
  INVARIANT(key.size() <= std::numeric_limits<std::uint16_t>::max(), "a key's size is a 16-bit number");
  return Change(ChangeType::kDelete, key, {}, {{}, at, 0, {}});
}

const Change::Numbers& Change::numbers() const {
  return *std::launder(reinterpret_cast<const Numbers*>(text()));
}

std::size_t Change::key_bytes() const {
  std::uint16_t bytes = 0;
  std::memcpy(&bytes, text() + kKeyBytesAt, sizeof bytes);
  return bytes;
}

}  // namespace holdfast::config
