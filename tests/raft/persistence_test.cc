#include "raft/persistence.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::raft;

TEST_CASE("what was found on disk is durable") {
  const Persistence persistence(Index(5));
  CHECK(persistence.durable() == Index(5));
  CHECK(persistence.handed_out() == Index(5));
  CHECK(persistence.hard_state_durable());
}

TEST_CASE("a completed write makes durable what it and those before it brought") {
  Persistence persistence(Index(0));
  const std::uint64_t first = persistence.begin(Index(2), false);
  const std::uint64_t second = persistence.begin(Index(5), false);
  const std::uint64_t third = persistence.begin(Index(6), false);
  CHECK(persistence.durable() == Index(0));
  persistence.persisted(second);
  CHECK(persistence.durable() == Index(5));
  persistence.persisted(first);  // known already
  CHECK(persistence.durable() == Index(5));
  persistence.persisted(third);
  CHECK(persistence.durable() == Index(6));
}

TEST_CASE("the completion of an overwritten write counts only up to the cut") {
  Persistence persistence(Index(1));
  const std::uint64_t old_term = persistence.begin(Index(5), false);
  persistence.truncated(Index(2));
  CHECK(persistence.handed_out() == Index(2));
  const std::uint64_t new_term = persistence.begin(Index(5), false);
  // The disk has five entries now, but three of them are others than those in memory.
  persistence.persisted(old_term);
  CHECK(persistence.durable() == Index(2));
  persistence.persisted(new_term);
  CHECK(persistence.durable() == Index(5));
}

TEST_CASE("cutting durable entries makes them not durable") {
  Persistence persistence(Index(5));
  persistence.truncated(Index(3));
  CHECK(persistence.durable() == Index(3));
  const std::uint64_t write = persistence.begin(Index(4), false);
  CHECK(persistence.durable() == Index(3));
  persistence.persisted(write);
  CHECK(persistence.durable() == Index(4));
}

TEST_CASE("the hard state is durable with the write that carried it last") {
  Persistence persistence(Index(0));
  const std::uint64_t first = persistence.begin(Index(0), true);
  const std::uint64_t second = persistence.begin(Index(0), true);
  persistence.begin(Index(1), false);
  persistence.persisted(first);
  CHECK_FALSE(persistence.hard_state_durable());
  persistence.persisted(second);
  CHECK(persistence.hard_state_durable());
}
