#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "bench/compare/etcd/messages.h"

using namespace holdfast::bench::etcd;

namespace {

std::string framed(const std::string& message) {
  std::string text(kPrefixBytes, '\0');
  write_prefix(text.data(), message.size());
  return text + message;
}

}  // namespace

TEST_CASE("a message of gRPC's stands behind a zero and its length, big-endian") {
  CHECK(framed("abc") == std::string("\0\0\0\0\3abc", 8));
  CHECK(framed(std::string(70'000, 'x')).substr(0, 5) == std::string("\0\0\1\x11\x70", 5));
}

TEST_CASE("messages of gRPC's are put together again however they were cut") {
  const std::vector<std::string> sent{"one", "", std::string(300, 'x'), "four"};
  std::string stream;
  for (const std::string& message : sent) stream += framed(message);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    Messages messages;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      const std::string part = stream.substr(at, piece);  // it is gone when the next one comes
      REQUIRE(messages.read(part, [&got](std::string_view message) { got.emplace_back(message); }));
    }
    CHECK(got == sent);
    CHECK(messages.complete());
  }
}

TEST_CASE("a stream that ends within a message of gRPC's is not complete") {
  Messages messages;
  const std::string text = framed("abc");
  REQUIRE(messages.read(text.substr(0, 7), [](std::string_view) { FAIL("it has not ended"); }));
  CHECK_FALSE(messages.complete());
}

TEST_CASE("a compressed message of gRPC's is refused") {
  Messages messages;
  CHECK_FALSE(
      messages.read(std::string("\1\0\0\0\1x", 6), [](std::string_view) { FAIL("it was not asked for"); }));
}
