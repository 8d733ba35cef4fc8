#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

InstallSnapshot image(std::uint64_t index, std::uint64_t term) {
  return {{Index(index), Term(term), voters(3)}, "digest", 1, 0, Blob("x")};
}

}  // namespace

TEST_CASE("an image comes out for the node, is installed, and the leader is told once it is") {
  Single single(restored_with(3, {1, 1}));
  const Output piece = single.receive(2, 3, image(9, 2));
  REQUIRE(piece.snapshot_chunks.size() == 1);
  CHECK(piece.snapshot_chunks[0].from == id(2));
  single.persist();
  CHECK(single.step(BeginInstall{image(9, 2).snapshot}).may_install);
  single.sent.clear();
  single.step(Installed{image(9, 2).snapshot});
  single.persist();
  const Status status = single.core.status();
  CHECK(status.commit == Index(9));
  CHECK(status.last == Index(9));
  CHECK(status.durable == Index(9));
  CHECK(single.core.term_at(Index(9)) == Term(2));
  REQUIRE(of_kind<AppendReply>(single.sent).size() == 1);
  CHECK(of_kind<AppendReply>(single.sent)[0].second == accepted(9));
  AppendEntries next;
  next.previous_index = Index(9);
  next.previous_term = Term(2);
  next.commit = Index(10);
  next.entries = entries_of({3}, 10);
  single.receive(2, 3, next);
  REQUIRE(single.committed.size() == 1);
  CHECK(single.committed[0].index == Index(10));
}

TEST_CASE("an image that is here already is answered, and nothing is installed") {
  Restored restored = restored_with(3, {1, 1, 1, 1});
  restored.applied = Index(2);
  Single single(restored);
  SECTION("below the commit index") {
    CHECK(single.receive(2, 1, image(2, 1)).snapshot_chunks.empty());
    CHECK(single.core.status().commit == Index(2));
  }
  SECTION("in the log: what was acknowledged behind it stays") {
    CHECK(single.receive(2, 1, image(3, 1)).snapshot_chunks.empty());
    CHECK(single.core.status().commit == Index(3));
    CHECK(single.core.status().last == Index(4));
  }
  CHECK_FALSE(single.step(BeginInstall{image(3, 1).snapshot}).may_install);
  single.persist();
  CHECK(of_kind<AppendReply>(single.sent).back().second.accepted);
}

TEST_CASE("an older image that arrives last takes nothing back") {
  Single single(restored_with(3, {}));
  single.receive(2, 3, image(9, 2));
  single.step(BeginInstall{image(9, 2).snapshot});
  single.step(Installed{image(9, 2).snapshot});
  CHECK(single.receive(2, 3, image(5, 2)).snapshot_chunks.empty());
  CHECK_FALSE(single.step(BeginInstall{image(5, 2).snapshot}).may_install);
  CHECK(single.core.status().commit == Index(9));
}

TEST_CASE("while an image is installed nothing is appended and nobody stands, but votes are given") {
  Single single(restored_with(3, {1, 1}));
  single.receive(2, 3, image(9, 2));
  REQUIRE(single.step(BeginInstall{image(9, 2).snapshot}).may_install);
  CHECK_FALSE(single.step(BeginInstall{image(12, 2).snapshot}).may_install);
  single.persist();
  AppendEntries append;
  append.previous_index = Index(2);
  append.previous_term = Term(1);
  append.commit = Index(2);
  append.round = 7;
  append.entries = entries_of({3}, 3);
  single.receive(2, 3, append);
  CHECK(single.core.status().last == Index(2));
  CHECK(single.core.status().commit == Index(0));
  CHECK(of_kind<AppendReply>(single.sent).back().second == AppendReply{false, Index(), Index(), Term(), 7});
  single.receive(2, 3, TimeoutNow());
  CHECK(single.core.status().role == Role::kFollower);
  single.tick();
  CHECK(single.core.status().role == Role::kFollower);
  single.receive(3, 4, RequestVote{false, false, Index(12), Term(3), data_id_of(1)});
  CHECK(of_kind<VoteReply>(single.persist()).size() == 1);

  SECTION("a damaged one changes nothing") {
    single.step(InstallAbandoned{});
    single.receive(3, 4, append);
    CHECK(single.core.status().last == Index(3));
  }
  SECTION("a new leader meanwhile is the one that is told") {
    single.receive(3, 4, AppendEntries());
    single.sent.clear();
    single.step(Installed{image(9, 2).snapshot});
    single.persist();
    const auto told = of_kind<AppendReply>(single.sent);
    REQUIRE(told.size() == 1);
    CHECK(told[0].first == 3);
  }
}

TEST_CASE("a candidate that is about to install an image is no candidate any more") {
  Single single(restored_with(3, {1}));
  single.receive(2, 2, image(9, 2));
  single.persist();
  single.tick();
  REQUIRE(single.core.status().role == Role::kPreCandidate);
  CHECK(single.step(BeginInstall{image(9, 2).snapshot}).may_install);
  single.receive(2, 3, VoteReply{true, true});
  single.receive(3, 3, VoteReply{true, true});
  CHECK(single.core.status().role == Role::kFollower);
}

TEST_CASE("a leader takes no image, and an old leader's is answered with the newer term") {
  Single leader(restored_with(3, {}));
  leader.become_leader();
  CHECK_FALSE(leader.step(BeginInstall{image(9, 1).snapshot}).may_install);
  Single follower(restored_with(3, {}, 5));
  CHECK(follower.receive(2, 3, image(9, 2)).snapshot_chunks.empty());
  REQUIRE(follower.sent.size() == 1);
  CHECK(follower.sent[0].term == Term(5));
}

TEST_CASE("an image brings its membership, and takes away what the log said") {
  Restored restored = restored_with(3, {1, 1});
  restored.entries[1] = {Term(1), Index(2), EntryKind::kMembership, Blob()};
  restored.entries[1].membership = std::make_shared<const Membership>(voters(5));
  Single single(restored);
  CHECK(single.core.membership() == voters(5));
  single.receive(2, 3, image(9, 2));
  single.step(BeginInstall{image(9, 2).snapshot});
  const Output output = single.step(Installed{image(9, 2).snapshot});
  REQUIRE(output.membership_changed);
  CHECK(*output.membership_changed == voters(3));
  CHECK(single.core.membership_index() == Index(9));
}

TEST_CASE("writes to the log that an image replaced do not count for what comes behind it") {
  Single single(restored_with(3, {1}));
  AppendEntries append;
  append.previous_index = Index(1);
  append.previous_term = Term(1);
  append.entries = entries_of({2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, 2);
  single.receive(2, 2, append);  // up to 11; its write is under way
  single.receive(3, 3, image(9, 3));
  single.step(BeginInstall{image(9, 3).snapshot});
  single.step(Installed{image(9, 3).snapshot});
  append.previous_index = Index(9);
  append.previous_term = Term(3);
  append.entries = entries_of({3, 3}, 10);
  const Output output = single.receive(3, 3, append);
  single.step(Persisted{output.persist->sequence - 1});
  CHECK(single.core.status().durable == Index(9));
  single.step(Persisted{output.persist->sequence});
  CHECK(single.core.status().durable == Index(11));
}

TEST_CASE(
    "a follower that needs an image is named once, again after its connection was lost, and until it has "
    "enough") {
  Restored restored = restored_with(3, {1, 1, 1});
  restored.applied = Index(3);
  Single single(restored);
  single.step(Compact{Index(3)});
  single.become_leader();
  single.receive(2, 2, accepted(4));
  const Output refused = single.receive(3, 2, AppendReply{false, Index(3), Index(), Term(), 0});
  CHECK(refused.need_snapshot == std::vector<MemberId>{id(3)});
  CHECK(single.tick().need_snapshot.empty());
  CHECK(single.step(PeerLost{id(3)}).need_snapshot == std::vector<MemberId>{id(3)});
  CHECK(single.receive(3, 2, InstallReply{Index(3), 17, false}).snapshot_replies.size() == 1);
  single.step(Compact{Index(4)});
  CHECK(single.receive(3, 2, accepted(3)).need_snapshot == std::vector<MemberId>{id(3)});  // too old by now
  CHECK(single.receive(3, 2, accepted(4)).need_snapshot.empty());
  CHECK(single.core.followers()[1].pace == Pace::kReplicate);
}

TEST_CASE("a probe that is out does not hide that its place was compacted") {
  Restored restored = restored_with(3, {1, 1, 1});
  restored.applied = Index(3);
  Single single(restored);
  single.become_leader();
  single.receive(2, 2, accepted(4));
  single.receive(3, 2, AppendReply{false, Index(3), Index(1), Term(1), 0});  // probes behind 1/1
  REQUIRE(single.core.followers()[1].pace == Pace::kProbe);
  CHECK(single.step(Compact{Index(3)}).need_snapshot == std::vector<MemberId>{id(3)});
}
