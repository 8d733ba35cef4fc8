#include "storage/crc32c.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/random.h"

using namespace holdfast;
using namespace holdfast::storage;

TEST_CASE("CRC-32C gives the values of RFC 3720") {
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  for (const auto crc : {&crc32c, &crc32c_by_table}) {
    CHECK(crc(0, std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc(0, std::string(32, '\xff')) == 0x62a8ab43);
    CHECK(crc(0, ascending) == 0x46dd794e);
    CHECK(crc(0, "123456789") == 0xe3069283);
    CHECK(crc(0, "") == 0);
  }
}

TEST_CASE("CRC-32C is the same by instruction and by table, whole and in parts") {
  Random random(7);
  for (std::size_t length = 0; length < 100; ++length) {
    std::string bytes;
    for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(random.next());
    const std::uint32_t whole = crc32c(0, bytes);
    CHECK(whole == crc32c_by_table(0, bytes));
    const std::size_t cut = random.below(length + 1);
    CHECK(whole == crc32c(crc32c(0, bytes.substr(0, cut)), bytes.substr(cut)));
  }
}

TEST_CASE("a number's CRC-32C is that of its eight bytes, least significant first") {
  Random random(8);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = random.next();
    std::string bytes;
    for (int byte = 0; byte < 8; ++byte) bytes += static_cast<char>(number >> (8 * byte));
    const auto before = static_cast<std::uint32_t>(random.next());
    CHECK(crc32c_number(before, number) == crc32c_by_table(before, bytes));
  }
}
