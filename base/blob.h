#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace holdfast {

/// Immutable bytes that are shared, never copied: an entry's payload on its way from the socket to the log,
/// the followers and the table; a value in a table, its event and its reply. Copying a Blob copies a pointer
/// and a size. The bytes start at an address divisible by eight. Thread: may be shared between threads.
class Blob {
 public:
  Blob() = default;
  /// Copies them.
  explicit Blob(std::string_view bytes)
      : Blob(written(bytes.size(), [bytes](char* to) { std::memcpy(to, bytes.data(), bytes.size()); })) {}
  /// `write` is given room for `size` bytes and writes all of them.
  template <typename Write>
  static Blob written(std::size_t size, const Write& write) {
    Blob blob;
    if (size == 0) return blob;
    const auto words = std::make_shared_for_overwrite<std::uint64_t[]>((size + 7) / 8);
    write(reinterpret_cast<char*>(words.get()));
    blob.words_ = words;
    blob.size_ = size;
    return blob;
  }

  std::string_view view() const { return {reinterpret_cast<const char*>(words_.get()), size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  friend bool operator==(const Blob& a, const Blob& b) { return a.view() == b.view(); }

 private:
  // Owners: every Blob made from this one, on whatever thread. One piece of memory with its count.
  std::shared_ptr<const std::uint64_t[]> words_;
  std::size_t size_ = 0;
};

}  // namespace holdfast
