#include "raft/memberships.h"

#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

Entry entry_of(std::uint64_t index, std::uint64_t count) {
  Entry entry{Term(1), Index(index), EntryKind::kMembership, Blob()};
  entry.membership = std::make_shared<const Membership>(voters(count));
  return entry;
}

Memberships three_stands() {
  Memberships memberships(Index(5), std::make_shared<const Membership>(voters(1)));
  memberships.appended(entry_of(8, 2));
  memberships.appended(entry_of(9, 3));
  return memberships;
}

}  // namespace

TEST_CASE("the membership at an index is that of the newest entry up to there") {
  const Memberships memberships = three_stands();
  CHECK(*memberships.in_force() == voters(3));
  CHECK(memberships.index() == Index(9));
  CHECK(*memberships.at(Index(5)) == voters(1));
  CHECK(*memberships.at(Index(7)) == voters(1));
  CHECK(*memberships.at(Index(8)) == voters(2));
  CHECK(*memberships.at(Index(100)) == voters(3));
}

TEST_CASE("truncation takes back what stood behind it, never the base") {
  Memberships memberships = three_stands();
  memberships.truncated(Index(8));
  CHECK(memberships.index() == Index(8));
  memberships.truncated(Index(5));
  CHECK(*memberships.in_force() == voters(1));
  CHECK(memberships.index() == Index(5));
}

TEST_CASE("compaction keeps the one at the new base") {
  Memberships memberships = three_stands();
  memberships.compacted(Index(7));
  CHECK(*memberships.at(Index(7)) == voters(1));
  memberships.compacted(Index(8));
  CHECK(*memberships.at(Index(8)) == voters(2));
  memberships.compacted(Index(20));
  CHECK(*memberships.at(Index(20)) == voters(3));
  memberships.truncated(Index(20));
  CHECK(*memberships.in_force() == voters(3));
}

TEST_CASE("any membership since the commit index may be the one that holds") {
  const Memberships memberships = three_stands();
  const auto size = [](std::size_t count) {
    return [count](const Membership& membership) { return membership.voters.size() == count; };
  };
  CHECK(memberships.newest_since(Index(9), size(3)));
  CHECK_FALSE(memberships.newest_since(Index(9), size(2)));
  CHECK(memberships.newest_since(Index(8), size(2)));
  CHECK_FALSE(memberships.newest_since(Index(8), size(1)));
  CHECK(memberships.newest_since(Index(7), size(1)));
}
