#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

/// Three founders that know nobody's disk yet.
Membership founders() {
  Membership membership = voters(3);
  for (Member& founder : membership.voters) founder.data_id.clear();
  return membership;
}

Single founder() {
  Restored restored;
  restored.membership = founders();
  return Single(restored);
}

/// Is a vote granted to a candidate whose log ends at `last` and which has that on record of the voter?
bool grants(Single& single, std::uint64_t last, const std::string& recorded) {
  RequestVote request;
  request.last_index = Index(last);
  request.last_term = Term(last > 0 ? 5 : 0);
  request.recorded_data_id = recorded;
  const std::uint64_t term = single.core.status().term.value() + 5;
  single.sent.clear();
  single.receive(2, term, request);
  single.persist();
  const auto replies = of_kind<VoteReply>(single.sent);
  return replies.size() == 1 && replies[0].second.granted;
}

}  // namespace

TEST_CASE("whoever founds a cluster puts on record those who elected it, before anything else") {
  Single single = founder();
  single.tick();
  single.receive(2, 1, VoteReply{true, true});
  single.persist();
  single.receive(2, 1, VoteReply{false, true, data_id_of(2)});
  REQUIRE(single.core.status().role == Role::kLeader);
  single.persist();
  REQUIRE(single.stored.size() == 2);
  REQUIRE(single.stored[0].membership);
  CHECK(single.stored[0].membership->voters[0].data_id == data_id_of(1));
  CHECK(single.stored[0].membership->voters[1].data_id == data_id_of(2));
  CHECK(single.stored[0].membership->voters[2].data_id.empty());
  CHECK(single.stored[1].kind == EntryKind::kNoop);

  SECTION("a disk that is not on record does not count") {
    single.receive(3, 1, accepted(2));
    CHECK(single.core.status().commit == Index(0));
  }
  SECTION("one that is does") {
    single.receive(2, 1, accepted(2));
    CHECK(single.core.status().commit == Index(2));
  }
  SECTION("the third is put on record when it connects") {
    single.step(PeerConnected{id(3), data_id_of(3)});
    CHECK(single.core.membership() == voters(3));
  }
}

TEST_CASE("a founder helps whoever begins, and says whose vote it is") {
  Single single = founder();
  CHECK(grants(single, 0, ""));
  CHECK(of_kind<VoteReply>(single.sent)[0].second.data_id == data_id_of(1));
}

TEST_CASE("an empty disk helps a log only if that log knows the disk") {
  Single wiped = founder();
  CHECK_FALSE(grants(wiped, 7, ""));
  CHECK_FALSE(grants(wiped, 7, "the disk before"));
  CHECK(grants(wiped, 7, data_id_of(1)));
}

TEST_CASE("an empty disk gives no pre-vote either where it may not vote") {
  Single wiped = founder();
  RequestVote question{true, false, Index(7), Term(5), "the disk before"};
  wiped.receive(2, 6, question);
  CHECK_FALSE(of_kind<VoteReply>(wiped.sent).back().second.granted);
  question.recorded_data_id = data_id_of(1);
  wiped.receive(2, 6, question);
  CHECK(of_kind<VoteReply>(wiped.sent).back().second.granted);
}

TEST_CASE("a member whose own log knows its disk votes whatever the candidate knows") {
  Single single(restored_with(3, {1, 1}));
  CHECK(grants(single, 7, ""));
}

TEST_CASE("a member with a log that does not know its disk does not stand") {
  Restored restored;
  restored.membership = founders();
  restored.entries = entries_of({1});
  restored.hard_state.term = Term(1);
  Single single(restored);
  single.tick();
  CHECK(single.core.status().role == Role::kFollower);
  CHECK(single.sent.empty());
  single.receive(2, 1, AppendEntries());
  single.receive(2, 1, TimeoutNow());
  CHECK(single.core.status().role == Role::kFollower);
}

TEST_CASE("the answers of another disk under a member's id count for nothing, and it is sent nothing") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.step(PeerConnected{id(2), "another disk"});
  single.sent.clear();
  single.receive(2, 1, accepted(1));
  single.receive(2, 9, AppendReply());
  CHECK(single.core.status().commit == Index(0));
  CHECK(single.core.status().term == Term(1));
  CHECK(single.core.followers()[0].match == Index(0));
  single.tick();
  for (const auto& [to, append] : of_kind<AppendEntries>(single.sent)) CHECK(to == 3);
  single.step(PeerLost{id(2)});
  single.step(PeerConnected{id(2), data_id_of(2)});  // the right one after all
  single.receive(2, 1, accepted(1));
  CHECK(single.core.status().commit == Index(1));
}

TEST_CASE("a follower that knows only a leader's disk of before follows it") {
  Single single(restored_with(3, {1}));
  single.step(PeerConnected{id(2), "taken in again with another disk"});
  single.receive(2, 4, AppendEntries());
  CHECK(single.core.status().leader == id(2));
}

TEST_CASE("what a connection showed that is gone is not put on record") {
  Single single = founder();
  single.step(PeerConnected{id(3), "gone"});
  single.step(PeerLost{id(3)});
  single.tick();
  single.receive(2, 1, VoteReply{true, true});
  single.persist();
  single.receive(2, 1, VoteReply{false, true, data_id_of(2)});
  CHECK(single.core.membership().voters[2].data_id.empty());
  for (std::uint64_t stranger = 100; stranger < 300; ++stranger)
    single.step(PeerConnected{id(stranger), "nobody"});
  CHECK(single.core.membership().voters.size() == 3);
}
