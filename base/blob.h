#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace holdfast {

/// Immutable bytes that are shared, never copied: an entry's payload on its way from the socket to the log,
/// the followers and the table; a value in a table, its event and its reply. Copying a Blob copies a pointer
/// and two numbers. Below 4 GiB. Thread: may be shared between threads.
class Blob {
 public:
  Blob() = default;
  /// Copies them.
  explicit Blob(std::string_view bytes)
      : Blob(written(bytes.size(), [bytes](char* to) { std::memcpy(to, bytes.data(), bytes.size()); })) {}
  /// `write` is given room for `size` bytes, which starts at an address divisible by eight, and writes all
  /// of them.
  template <typename Write>
  static Blob written(std::size_t size, const Write& write) {
    Blob blob;
    if (size == 0) return blob;
    INVARIANT(size <= UINT32_MAX, "a blob holds less than 4 GiB");
    blob.owned_ = new (::operator new(sizeof(Owned) + size)) Owned;
    blob.size_ = static_cast<std::uint32_t>(size);
    write(blob.owned_->bytes());
    return blob;
  }

  Blob(const Blob& other) noexcept : owned_(other.owned_), offset_(other.offset_), size_(other.size_) {
    if (owned_) owned_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Blob(Blob&& other) noexcept { swap(other); }
  Blob& operator=(Blob other) noexcept {
    swap(other);
    return *this;
  }
  ~Blob() {
    if (owned_ && owned_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) ::operator delete(owned_);
  }

  std::string_view view() const {
    return owned_ ? std::string_view(owned_->bytes() + offset_, size_) : std::string_view();
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// These bytes as a Blob that keeps the whole alive. Requires: `bytes` lies within view().
  Blob part(std::string_view bytes) const {
    if (bytes.empty()) return {};
    INVARIANT(bytes.data() >= view().data() && bytes.data() + bytes.size() <= view().data() + size_,
              "a part lies within the whole");
    Blob blob(*this);
    blob.offset_ += static_cast<std::uint32_t>(bytes.data() - view().data());
    blob.size_ = static_cast<std::uint32_t>(bytes.size());
    return blob;
  }

  friend bool operator==(const Blob& a, const Blob& b) {
    return (a.owned_ == b.owned_ && a.offset_ == b.offset_ && a.size_ == b.size_) || a.view() == b.view();
  }

 private:
  // One piece of memory: the bytes follow.
  struct alignas(8) Owned {
    std::atomic<std::uint32_t> owners{1};
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  void swap(Blob& other) noexcept {
    std::swap(owned_, other.owned_);
    std::swap(offset_, other.offset_);
    std::swap(size_, other.size_);
  }

  // Owners: every Blob made from this one, on whatever thread.
  Owned* owned_ = nullptr;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace holdfast
