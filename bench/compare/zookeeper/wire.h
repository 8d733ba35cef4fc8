#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// ZooKeeper's wire format: big-endian integers; strings and buffers behind their length; every message
/// behind its own.
namespace holdfast::bench::zookeeper {

class Writer {
 public:
  Writer& int32(std::int32_t value);
  Writer& int64(std::int64_t value);
  Writer& boolean(bool value);
  Writer& bytes(std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Reads what a server sent. Past the end everything reads as zero or empty, and good() is false.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  std::int32_t int32();
  std::int64_t int64();
  std::string_view bytes();
  bool good() const { return good_; }

 private:
  std::uint64_t integer(std::size_t length);

  std::string_view text_;
  bool good_ = true;
};

/// What a request asks for; the numbers are ZooKeeper's.
enum class Kind : std::int32_t {
  kCreate = 1,
  kDelete = 2,
  kExists = 3,
  kGetData = 4,
  kSetData = 5,
  kGetChildren = 8,
  kSync = 9,
  kPing = 11,
  kCloseSession = -11,
};

/// The errors that a load meets and understands; the numbers are ZooKeeper's.
inline constexpr std::int32_t kNoNode = -101;
inline constexpr std::int32_t kNodeExists = -110;

enum class Flags : std::int32_t { kPersistent = 0, kEphemeralSequential = 3 };

/// The bodies of requests.
std::string create(std::string_view path, std::string_view data, Flags flags);
std::string remove(std::string_view path);
std::string set_data(std::string_view path, std::string_view data);
/// Of kExists, kGetData and kGetChildren.
std::string look_at(std::string_view path, bool watch);
std::string sync(std::string_view path);

}  // namespace holdfast::bench::zookeeper
