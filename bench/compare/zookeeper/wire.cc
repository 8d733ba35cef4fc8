#include "bench/compare/zookeeper/wire.h"

#include <algorithm>

namespace holdfast::bench::zookeeper {
namespace {

constexpr std::int32_t kAnyVersion = -1;
constexpr std::int32_t kAllPermissions = 31;

void append(std::string& text, std::uint64_t value, int length) {
  for (int shift = 8 * (length - 1); shift >= 0; shift -= 8)
    text.push_back(static_cast<char>(value >> shift));
}

}  // namespace

Writer& Writer::int32(std::int32_t value) {
  append(text_, static_cast<std::uint32_t>(value), 4);
  return *this;
}

Writer& Writer::int64(std::int64_t value) {
  append(text_, static_cast<std::uint64_t>(value), 8);
  return *this;
}

Writer& Writer::boolean(bool value) {
  text_.push_back(value ? 1 : 0);
  return *this;
}

Writer& Writer::bytes(std::string_view value) {
  int32(static_cast<std::int32_t>(value.size()));
  text_.append(value);
  return *this;
}

std::uint64_t Reader::integer(std::size_t length) {
  if (text_.size() < length) {
    good_ = false;
    text_ = {};
    return 0;
  }
  std::uint64_t value = 0;
  for (const char byte : text_.substr(0, length)) value = value << 8 | static_cast<unsigned char>(byte);
  text_.remove_prefix(length);
  return value;
}

std::int32_t Reader::int32() { return static_cast<std::int32_t>(integer(4)); }

std::int64_t Reader::int64() { return static_cast<std::int64_t>(integer(8)); }

std::string_view Reader::bytes() {
  const auto length = static_cast<std::size_t>(std::max(0, int32()));  // -1: none at all
  if (length > text_.size()) {
    good_ = false;
    text_ = {};
    return {};
  }
  const std::string_view value = text_.substr(0, length);
  text_.remove_prefix(value.size());
  return value;
}

std::string create(std::string_view path, std::string_view data, Flags flags) {
  Writer body;
  body.bytes(path).bytes(data);
  body.int32(1).int32(kAllPermissions).bytes("world").bytes("anyone");
  return body.int32(static_cast<std::int32_t>(flags)).text();
}

std::string remove(std::string_view path) { return Writer().bytes(path).int32(kAnyVersion).text(); }

std::string set_data(std::string_view path, std::string_view data) {
  return Writer().bytes(path).bytes(data).int32(kAnyVersion).text();
}

std::string look_at(std::string_view path, bool watch) { return Writer().bytes(path).boolean(watch).text(); }

std::string sync(std::string_view path) { return Writer().bytes(path).text(); }

}  // namespace holdfast::bench::zookeeper
