#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

/// Immutable bytes that are shared, never copied: an entry's payload on its way from the socket to the log,
/// the followers and the table; a value in a table, its event and its reply. Copying a Blob copies a pointer.
/// The bytes start at an address divisible by eight. Thread: may be shared between threads.
class Blob {
 public:
  Blob() = default;
  explicit Blob(std::string bytes)
      : bytes_(bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(bytes))) {}
  static Blob copy_of(std::string_view bytes) { return Blob(std::string(bytes)); }

  std::string_view view() const { return bytes_ ? std::string_view(*bytes_) : std::string_view(); }
  std::size_t size() const { return bytes_ ? bytes_->size() : 0; }
  bool empty() const { return !bytes_; }

  friend bool operator==(const Blob& a, const Blob& b) { return a.view() == b.view(); }

 private:
  // Owners: every Blob made from this one, on whatever thread.
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace holdfast
