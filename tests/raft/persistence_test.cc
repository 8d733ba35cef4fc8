#include "raft/persistence.h"

#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

TEST_CASE("what was found on disk is durable") {
  const Persistence persistence(Index(5));
  CHECK(persistence.durable() == Index(5));
  CHECK(persistence.handed_out() == Index(5));
  CHECK(persistence.hard_state_durable());
}

TEST_CASE("a completed write makes durable what it and those before it brought") {
  Persistence persistence(Index(0));
  const std::uint64_t first = persistence.begin(Index(2), false, Instant());
  const std::uint64_t second = persistence.begin(Index(5), false, Instant());
  const std::uint64_t third = persistence.begin(Index(6), false, Instant());
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
  const std::uint64_t old_term = persistence.begin(Index(5), false, Instant());
  persistence.truncated(Index(2));
  CHECK(persistence.handed_out() == Index(2));
  const std::uint64_t new_term = persistence.begin(Index(5), false, Instant());
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
  const std::uint64_t write = persistence.begin(Index(4), false, Instant());
  CHECK(persistence.durable() == Index(3));
  persistence.persisted(write);
  CHECK(persistence.durable() == Index(4));
}

TEST_CASE("the hard state is durable with the write that carried it last") {
  Persistence persistence(Index(0));
  const std::uint64_t first = persistence.begin(Index(0), true, Instant());
  const std::uint64_t second = persistence.begin(Index(0), true, Instant());
  persistence.begin(Index(1), false, Instant());
  persistence.persisted(first);
  CHECK_FALSE(persistence.hard_state_durable());
  persistence.persisted(second);
  CHECK(persistence.hard_state_durable());
}

TEST_CASE("it is known since when the oldest write is under way") {
  Persistence persistence{Index()};
  CHECK_FALSE(persistence.waiting_since());
  const std::uint64_t first = persistence.begin(Index(1), false, at(5));
  const std::uint64_t second = persistence.begin(Index(2), false, at(9));
  CHECK(persistence.waiting_since() == at(5));
  persistence.persisted(first);
  CHECK(persistence.waiting_since() == at(9));
  persistence.persisted(second);
  CHECK_FALSE(persistence.waiting_since());
}

TEST_CASE("a write to the log that an image replaced says nothing about what is behind the image") {
  Persistence persistence(Index(3));
  const std::uint64_t old_log = persistence.begin(Index(50), false, at(0));
  persistence.installed(Index(20));
  CHECK(persistence.durable() == Index(20));
  const std::uint64_t new_log = persistence.begin(Index(22), false, at(0));
  persistence.persisted(old_log);
  CHECK(persistence.durable() == Index(20));
  persistence.persisted(new_log);
  CHECK(persistence.durable() == Index(22));
}
