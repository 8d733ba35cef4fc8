#include "server/refusals.h"

#include <catch2/catch.hpp>
#include <initializer_list>

namespace holdfast::server {
namespace {

std::vector<raft::Member> members(std::initializer_list<std::uint64_t> ids) {
  std::vector<raft::Member> members;
  for (const std::uint64_t id : ids) {
    raft::Member member;
    member.id = MemberId(id);
    members.push_back(member);
  }
  return members;
}

bool ends(const raft::Membership& membership, std::initializer_list<std::uint64_t> refusing) {
  Refusals refusals;
  for (const std::uint64_t id : refusing) refusals.add(MemberId(id));
  return refusals.by_majority(membership);
}

TEST_CASE("a member goes once a majority of the voters refuses it") {
  raft::Membership membership;
  membership.voters = members({1, 2, 3});
  CHECK_FALSE(ends(membership, {}));
  CHECK_FALSE(ends(membership, {1}));
  CHECK(ends(membership, {1, 2}));
  membership.voters = members({1, 2, 3, 4});
  CHECK_FALSE(ends(membership, {1, 2}));
  CHECK(ends(membership, {1, 2, 3}));
}

// One of the two is wrong, and neither can tell which: both go on, and say who refuses them.
TEST_CASE("of two members none goes because the other refuses it") {
  raft::Membership membership;
  membership.voters = members({1, 2});
  CHECK_FALSE(ends(membership, {1}));
}

TEST_CASE("a member that has heard of its own removal goes when those who stay refuse it") {
  raft::Membership membership;
  membership.voters = members({1});
  CHECK(ends(membership, {1}));
}

TEST_CASE("learners and strangers that refuse do not count") {
  raft::Membership membership;
  membership.voters = members({1, 2, 3});
  membership.learners = members({4, 5});
  CHECK_FALSE(ends(membership, {1, 4, 5, 9}));
}

TEST_CASE("a member that refused and then connected does not count") {
  raft::Membership membership;
  membership.voters = members({1, 2, 3});
  Refusals refusals;
  refusals.add(MemberId(1));
  refusals.erase(MemberId(1));
  refusals.add(MemberId(2));
  CHECK_FALSE(refusals.by_majority(membership));
}

// It led, appended a joint membership with voters 4 and 5, and went away. The others never saw it, took it
// out of {1, 2, 3}, and 4 and 5 were given up: only 1 and 2 are left to tell it.
TEST_CASE("in a joint membership that was rolled back, the voters of the side that stayed are enough") {
  raft::Membership membership;
  membership.voters = members({3, 4, 5});
  membership.outgoing_voters = members({1, 2, 3});
  CHECK_FALSE(ends(membership, {1}));
  CHECK(ends(membership, {1, 2}));
}

TEST_CASE("in a joint membership that was completed, the voters of the side that came are enough") {
  raft::Membership membership;
  membership.voters = members({4, 5, 6});
  membership.outgoing_voters = members({1, 2, 3});
  CHECK(ends(membership, {4, 6}));
}

TEST_CASE("in a joint membership, one voter of each side is not a majority") {
  raft::Membership membership;
  membership.voters = members({3, 4, 5});
  membership.outgoing_voters = members({1, 2, 3});
  CHECK_FALSE(ends(membership, {1, 4}));
}

}  // namespace
}  // namespace holdfast::server
