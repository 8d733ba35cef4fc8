#include "bench/keys.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace holdfast::bench;

TEST_CASE("keys in order are every key of the space once before any comes again") {
  Load load;
  load.key_space = 100;
  load.in_order = true;
  Keys keys(load);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) CHECK(seen.emplace(keys.next().view()).second);
  CHECK(keys.next().view() == "/bench/key000000000");
}

TEST_CASE("keys at random stay within the space, are 19 bytes long, and the same for the same seed") {
  Load load;
  load.key_space = 50;
  Keys keys(load);
  Keys again(load);
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) {
    const std::string key(keys.next().view());
    CHECK(key.size() == 19);
    CHECK(key < "/bench/key000000050");
    CHECK(key == again.next().view());
    seen.insert(key);
  }
  CHECK(seen.size() == 50);
}
