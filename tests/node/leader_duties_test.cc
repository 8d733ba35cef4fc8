#include "node/leader_duties.h"

#include <catch2/catch.hpp>
#include <utility>

namespace holdfast::node {
namespace {

using state::AnnounceMember;
using state::RaiseFeatureLevel;
namespace level = state::level;

/// A leader in office whose log is decided when the test says so.
struct Office {
  Office() {
    machine.skip(Index(1));
    membership.voters = {member(1), member(2), member(3)};
    leases.start(machine.leases(), now);
    clock.start(machine.time(), now);
    duties.take_office();
  }

  static raft::Member member(std::uint64_t id) {
    raft::Member member;
    member.id = MemberId(id);
    member.name = "n" + std::to_string(id);
    return member;
  }
  void reach(std::uint64_t id, std::uint16_t feature_level) {
    duties.member_reached(MemberId(id), "host:" + std::to_string(id), feature_level);
  }
  /// Applies all that was proposed, and what follows from that.
  void decide() {
    duties.run(now);
    while (!proposed.empty()) {
      for (auto& [operation, settled] : std::exchange(proposed, {})) {
        raises += std::holds_alternative<RaiseFeatureLevel>(operation) ? 1 : 0;
        const auto bytes = state::encode({{}, {}, operation});
        REQUIRE(bytes);
        REQUIRE_FALSE(machine.apply(machine.applied().next(), *bytes).not_understood);
        settled();
      }
      duties.run(now);
    }
  }

  Instant now{std::chrono::seconds(1)};
  state::Machine machine;
  raft::Membership membership;
  LeaseClock leases;
  ClusterClock clock;
  std::vector<std::pair<state::Operation, Callback<void()>>> proposed;
  int raises = 0;
  LeaderDuties duties{machine, leases, clock, [this]() -> const raft::Membership& { return membership; },
                      [this](state::Operation operation, Callback<void()> settled) {
                        proposed.emplace_back(std::move(operation), std::move(settled));
                      }};
};

}  // namespace

TEST_CASE_METHOD(Office, "the level rises once every member has announced that it supports more") {
  reach(1, level::kBoundedDeletes);
  reach(2, level::kBoundedDeletes);
  decide();
  CHECK(machine.feature_level() == level::kFirst);  // nobody knows what the third can do
  reach(3, level::kBoundedDeletes);
  decide();
  CHECK(machine.feature_level() == level::kBoundedDeletes);
  CHECK(raises == 1);
  decide();
  CHECK(raises == 1);
}

TEST_CASE_METHOD(Office, "a member of the version before keeps the level down until it is upgraded") {
  reach(1, level::kBoundedDeletes);
  reach(2, level::kBoundedDeletes);
  reach(3, level::kFirst);
  decide();
  CHECK(machine.feature_level() == level::kFirst);
  CHECK(machine.level_of(MemberId(1)) == level::kBoundedDeletes);
  CHECK(machine.level_of(MemberId(3)) == level::kFirst);

  duties.member_lost(MemberId(3));  // it is stopped, and comes back as the new version
  decide();
  CHECK(machine.feature_level() == level::kFirst);
  reach(3, level::kBoundedDeletes);
  decide();
  CHECK(machine.feature_level() == level::kBoundedDeletes);
}

TEST_CASE_METHOD(Office, "a learner counts, and a member that was removed does not") {
  membership.voters = {member(1), member(2)};
  membership.learners = {member(3)};
  reach(1, level::kBoundedDeletes);
  reach(2, level::kBoundedDeletes);
  reach(3, level::kFirst);
  decide();
  CHECK(machine.feature_level() == level::kFirst);
  membership.learners.clear();
  duties.membership_changed();
  CHECK(duties.due() == Instant::min());
  decide();
  CHECK(machine.feature_level() == level::kBoundedDeletes);
}

TEST_CASE_METHOD(Office, "what was refused is not due again before the pause is over") {
  reach(1, level::kFirst);
  duties.pause_until(now + milliseconds(10));
  CHECK(duties.due() == now + milliseconds(10));
  duties.run(now);
  CHECK(proposed.empty());
  now += milliseconds(10);
  duties.run(now);
  CHECK_FALSE(proposed.empty());
}

TEST_CASE_METHOD(Office, "a voter on its way out is announced by its name") {
  membership.voters = {member(2), member(3)};
  membership.outgoing_voters = {member(1), member(2), member(3)};
  reach(1, level::kFirst);
  decide();
  REQUIRE(machine.members().contains(MemberId(1)));
  CHECK(machine.members().at(MemberId(1)).name == "n1");
}

// Whoever claims to know a later membership may connect: a stranger could fill the log, and with names of its
// choice.
TEST_CASE_METHOD(Office, "who connects and is in no membership is announced only once it comes into it") {
  reach(4, level::kFirst);
  decide();
  CHECK_FALSE(machine.members().contains(MemberId(4)));
  membership.learners = {member(4)};
  duties.membership_changed();
  decide();
  REQUIRE(machine.members().contains(MemberId(4)));
  CHECK(machine.members().at(MemberId(4)).name == "n4");
}

TEST_CASE_METHOD(Office, "a new leader raises what its predecessor left undone") {
  for (std::uint64_t id : {1, 2, 3}) reach(id, level::kBoundedDeletes);
  duties.run(now);
  duties.leave_office();
  for (auto& [operation, settled] : std::exchange(proposed, {})) {
    machine.apply(machine.applied().next(), state::encode({{}, {}, operation}).value());
    settled();
  }
  CHECK(machine.feature_level() == level::kFirst);
  duties.take_office();
  decide();
  CHECK(machine.feature_level() == level::kBoundedDeletes);
}

}  // namespace holdfast::node
