#include "raft/quorum.h"

#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

/// Voters 1..n; `outgoing` by number.
Membership joint(std::uint64_t count, const std::vector<std::uint64_t>& outgoing) {
  Membership membership = voters(count);
  for (const std::uint64_t number : outgoing) membership.outgoing_voters.push_back({id(number), "", ""});
  return membership;
}

std::uint64_t reached(const Membership& membership, const std::vector<std::uint64_t>& values) {
  return quorum::reached<std::uint64_t>(membership,
                                        [&](MemberId member) { return values[member.value() - 1]; });
}

}  // namespace

TEST_CASE("a majority reaches the median, and of an even number the lower one") {
  struct Row {
    std::vector<std::uint64_t> values;
    std::uint64_t reached;
  };
  const std::vector<Row> table = {
      {{7}, 7},          {{0}, 0},          {{7, 3}, 3},          {{3, 7}, 3},
      {{1, 2, 3}, 2},    {{9, 0, 0}, 0},    {{9, 9, 0}, 9},       {{5, 5, 5}, 5},
      {{4, 3, 2, 1}, 2}, {{9, 9, 1, 1}, 1}, {{1, 2, 3, 4, 5}, 3}, {{9, 9, 9, 0, 0}, 9},
  };
  for (const Row& row : table) {
    CAPTURE(row.values);
    CHECK(reached(voters(row.values.size()), row.values) == row.reached);
  }
}

TEST_CASE("a joint membership reaches only what both sides reach") {
  CHECK(reached(joint(3, {3, 4, 5}), {9, 9, 9, 1, 1}) == 1);
  CHECK(reached(joint(3, {3, 4, 5}), {9, 9, 0, 5, 5}) == 5);
  CHECK(reached(joint(1, {2}), {9, 4}) == 4);
  CHECK(reached(joint(3, {1, 2, 3}), {1, 2, 3}) == 2);
}

TEST_CASE("without voters nothing is ever reached or won") {
  CHECK(reached(Membership(), {}) == 0);
  CHECK(quorum::count(Membership(), {{id(1), true}}) != quorum::Outcome::kWon);
}

TEST_CASE("votes are won by a majority, lost when none is possible any more, else pending") {
  using quorum::Outcome;
  const auto count = [](const Membership& membership, const std::string& answers) {
    quorum::Votes votes;
    for (std::size_t i = 0; i < answers.size(); ++i)
      if (answers[i] != '.') votes[id(i + 1)] = answers[i] == 'y';
    return quorum::count(membership, votes);
  };
  CHECK(count(voters(1), ".") == Outcome::kPending);
  CHECK(count(voters(1), "y") == Outcome::kWon);
  CHECK(count(voters(1), "n") == Outcome::kLost);
  CHECK(count(voters(2), "y.") == Outcome::kPending);
  CHECK(count(voters(2), "yn") == Outcome::kLost);
  CHECK(count(voters(3), "yy.") == Outcome::kWon);
  CHECK(count(voters(3), "yn.") == Outcome::kPending);
  CHECK(count(voters(3), "nn.") == Outcome::kLost);
  CHECK(count(voters(4), "yy..") == Outcome::kPending);
  CHECK(count(voters(4), "nn..") == Outcome::kLost);
  CHECK(count(voters(5), "yyn.y") == Outcome::kWon);
  CHECK(count(voters(3), "...yyyy") == Outcome::kPending);  // strangers' votes

  CHECK(count(joint(3, {3, 4, 5}), "yy...") == Outcome::kPending);
  CHECK(count(joint(3, {3, 4, 5}), "yyyy.") == Outcome::kWon);
  CHECK(count(joint(3, {3, 4, 5}), "yy.nn") == Outcome::kLost);
  CHECK(count(joint(3, {3, 4, 5}), "nn.yy") == Outcome::kLost);
}

TEST_CASE("a member on several sides is one member") {
  Membership membership = joint(2, {2, 3});
  membership.learners.push_back({id(4), "", ""});
  CHECK(all_members(membership) == std::vector<MemberId>{id(1), id(2), id(3), id(4)});
  CHECK(is_voter(membership, id(3)));
  CHECK_FALSE(is_voter(membership, id(4)));
  CHECK(is_member(membership, id(4)));
  for (std::uint64_t each = 1; each <= 4; ++each) CHECK(find_member(membership, id(each))->id == id(each));
  CHECK(find_member(membership, id(5)) == nullptr);
  CHECK_FALSE(is_member(membership, id(5)));
}
