#include "node/membership_calls.h"

#include <catch2/catch.hpp>
#include <string>

namespace holdfast::node {
namespace {

struct Fixture {
  MembershipCalls calls;
  std::string changed, transferred;

  static Instant at(int ms) { return Instant(milliseconds(ms)); }
  void change(std::uint64_t index, std::uint64_t term) {
    calls.changing({Index(index), Term(term)}, at(1000), [this](Result<Index> done) {
      changed = done ? "done at " + std::to_string(done->value()) : std::string(name_of(done.error().code));
    });
  }
  void apply(std::uint64_t index, std::uint64_t term, bool joint) {
    raft::Membership membership;
    membership.voters = {{MemberId(1), "n1", ""}};
    if (joint) membership.outgoing_voters = membership.voters;
    calls.applied({Term(term),
                   Index(index),
                   raft::EntryKind::kMembership,
                   {},
                   std::make_shared<const raft::Membership>(membership)});
  }
  void command(std::uint64_t index, std::uint64_t term) {
    calls.applied({Term(term), Index(index), raft::EntryKind::kCommand, Blob("x"), nullptr});
  }
  void transfer() {
    calls.transferring(MemberId(2), "n2", at(1000), [this](Result<void> done) {
      transferred = done ? "done" : std::string(name_of(done.error().code));
    });
  }
  void look(raft::Role role, MemberId leader, bool transferring = false) {
    raft::Status status;
    status.role = role;
    status.leader = leader;
    status.transferring = transferring;
    calls.look(status);
  }
};

TEST_CASE_METHOD(Fixture, "a change is done when the membership that follows its joint one is applied") {
  change(5, 2);
  apply(4, 2, false);
  apply(5, 2, true);
  command(6, 2);
  CHECK(changed.empty());
  apply(7, 2, false);
  CHECK(changed == "done at 7");
}

TEST_CASE_METHOD(Fixture, "another leader's entry in its place means that the change had no effect") {
  change(5, 2);
  command(5, 3);
  CHECK(changed == "not_committed");
}

TEST_CASE_METHOD(Fixture, "a deposed leader's change is soon unknown, unless its fate is learned in time") {
  change(5, 2);
  calls.deposed(at(100));
  calls.expire(at(50));
  CHECK(changed.empty());
  SECTION("the next leader completed it") {
    apply(5, 2, true);
    apply(8, 3, false);
    CHECK(changed == "done at 8");
  }
  SECTION("nothing is heard") {
    calls.expire(at(200));
    CHECK(changed == "unknown");
  }
}

TEST_CASE_METHOD(Fixture, "a change whose time is over, or that came with another's state, is unknown") {
  change(5, 2);
  SECTION("time") { calls.expire(at(2000)); }
  SECTION("state") { calls.passed_over(); }
  SECTION("stop") { calls.fail_all({Errc::kStopping, "", {}}); }
  CHECK(changed == "unknown");
}

TEST_CASE_METHOD(Fixture, "leadership has arrived when the one it was sent to leads") {
  transfer();
  look(raft::Role::kLeader, MemberId(1), true);
  look(raft::Role::kFollower, MemberId());
  CHECK(transferred.empty());
  SECTION("it does") {
    look(raft::Role::kFollower, MemberId(2));
    CHECK(transferred == "done");
  }
  SECTION("somebody else does") {
    look(raft::Role::kFollower, MemberId(3));
    CHECK(transferred == "unavailable");
  }
  SECTION("nobody in time") {
    calls.expire(at(2000));
    CHECK(transferred == "unknown");
  }
}

TEST_CASE_METHOD(Fixture, "a transfer that the leader gave up is refused") {
  transfer();
  look(raft::Role::kLeader, MemberId(1), false);
  CHECK(transferred == "unavailable");
}

}  // namespace
}  // namespace holdfast::node
