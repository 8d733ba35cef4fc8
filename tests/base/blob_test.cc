#include "base/blob.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

using namespace holdfast;

TEST_CASE("a blob's copies share its bytes, which live as long as the last of them") {
  Blob first(std::string(1000, 'x'));
  Blob second = first;
  CHECK(second.view().data() == first.view().data());
  first = Blob("other");
  CHECK(second.view() == std::string(1000, 'x'));
  const Blob moved = std::move(second);
  CHECK(moved.size() == 1000);
  CHECK(Blob("a") == Blob(std::string_view("a")));
  CHECK_FALSE(Blob("a") == Blob("b"));
  CHECK(Blob() == Blob(""));
  CHECK(Blob().view().empty());
}

TEST_CASE("a part of a blob keeps the whole alive, and is equal to a copy of it") {
  Blob whole("key=value");
  const Blob part = whole.part(whole.view().substr(4));
  const Blob part_of_part = part.part(part.view().substr(1, 2));
  whole = Blob();
  CHECK(part == Blob("value"));
  CHECK(part_of_part.view() == "al");
  CHECK(part.part({}).empty());
}

TEST_CASE("a blob's bytes start where a word may") {
  for (std::size_t size = 1; size < 40; ++size) {
    const Blob blob(std::string(size, 'x'));
    CHECK(reinterpret_cast<std::uintptr_t>(blob.view().data()) % 8 == 0);
  }
}
