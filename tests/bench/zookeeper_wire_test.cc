#include <catch2/catch.hpp>
#include <string>

#include "bench/compare/zookeeper/wire.h"

using namespace holdfast::bench::zookeeper;

TEST_CASE("integers of ZooKeeper's wire are big-endian, and strings stand behind their length") {
  const std::string text = Writer().int32(-2).int64(0x0102030405060708).boolean(true).bytes("ab").text();
  CHECK(text == std::string("\xff\xff\xff\xfe\x01\x02\x03\x04\x05\x06\x07\x08\x01\x00\x00\x00\x02"
                            "ab",
                            19));
  Reader reader(text);
  CHECK(reader.int32() == -2);
  CHECK(reader.int64() == 0x0102030405060708);
  CHECK(reader.bytes().empty());  // 0x01000000 bytes are not there
  CHECK(!reader.good());
}

TEST_CASE("what ends too early reads as nothing, and a string that is none as empty") {
  Reader reader(std::string_view("\x00\x00", 2));
  CHECK(reader.int32() == 0);
  CHECK(!reader.good());
  const std::string none = Writer().int32(-1).int32(7).text();
  Reader after(none);
  CHECK(after.bytes().empty());
  CHECK(after.int32() == 7);
  CHECK(after.good());
}

TEST_CASE("a request to create names path, data, who may do what, and the kind of node") {
  const std::string body = create("/a", "xyz", Flags::kEphemeralSequential);
  Reader reader(body);
  CHECK(reader.bytes() == "/a");
  CHECK(reader.bytes() == "xyz");
  CHECK(reader.int32() == 1);
  CHECK(reader.int32() == 31);
  CHECK(reader.bytes() == "world");
  CHECK(reader.bytes() == "anyone");
  CHECK(reader.int32() == 3);
  CHECK(reader.good());
}
