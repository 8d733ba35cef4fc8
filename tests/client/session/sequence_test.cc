#include "client/session/sequence.h"

#include <catch2/catch.hpp>

using holdfast::LeaseId;
using holdfast::session::Sequence;
using holdfast::session::Stamp;

TEST_CASE("a stamp acknowledges only what lies below the lowest open write") {
  Sequence sequence(LeaseId(7));
  REQUIRE(sequence.begin() == 1);
  REQUIRE(sequence.begin() == 2);
  REQUIRE(sequence.begin() == 3);
  CHECK(sequence.stamp(3) == Stamp{LeaseId(7), 3, 1});
  sequence.end(2);
  CHECK(sequence.stamp(3) == Stamp{LeaseId(7), 3, 1});
  sequence.end(1);
  CHECK(sequence.stamp(3) == Stamp{LeaseId(7), 3, 3});
  sequence.end(3);
  REQUIRE(sequence.begin() == 4);
  CHECK(sequence.stamp(4) == Stamp{LeaseId(7), 4, 4});
}

TEST_CASE("a repeated write keeps its number while its acknowledgement grows") {
  Sequence sequence(LeaseId(7));
  sequence.begin();
  sequence.begin();
  CHECK(sequence.stamp(2).acknowledged_below == 1);
  sequence.end(1);
  CHECK(sequence.stamp(2) == Stamp{LeaseId(7), 2, 2});
}

TEST_CASE("one slow write closes the window before the service has to refuse") {
  Sequence sequence(LeaseId(7), 4);
  REQUIRE(sequence.begin() == 1);
  for (std::uint64_t expected = 2; expected <= 4; ++expected) {
    REQUIRE(sequence.begin() == expected);
    sequence.end(expected);
  }
  // Three outcomes wait unacknowledged behind the open first one: a fifth would be one too many.
  CHECK_FALSE(sequence.begin());
  sequence.end(1);
  CHECK(sequence.begin() == 5);
  CHECK(sequence.open() == 1);
}
