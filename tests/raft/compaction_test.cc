#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

TEST_CASE("compaction never takes what was not handed out") {
  Single single(restored_with(3, {1, 1, 1}));
  single.step(Compact{Index(3)});
  CHECK(single.core.term_at(Index(1)) == Term(1));
  AppendEntries heartbeat;
  heartbeat.previous_index = Index(3);
  heartbeat.previous_term = Term(1);
  heartbeat.commit = Index(2);
  single.receive(2, 1, heartbeat);
  CHECK(single.committed.size() == 2);
  single.step(Compact{Index(3)});
  CHECK(single.core.term_at(Index(1)) == std::nullopt);
  CHECK(single.core.term_at(Index(2)) == Term(1));
  CHECK(single.core.term_at(Index(3)) == Term(1));
}

TEST_CASE("a restarted member hands out only what its image lacks") {
  Restored restored = restored_with(3, {1, 1, 1});
  restored.entries.erase(restored.entries.begin());
  restored.base_index = Index(1);
  restored.base_term = Term(1);
  restored.applied = Index(2);
  Single single(restored);
  CHECK(single.core.status().commit == Index(2));
  CHECK(single.core.held_by_all() == Index(1));
  AppendEntries heartbeat;
  heartbeat.previous_index = Index(3);
  heartbeat.previous_term = Term(1);
  heartbeat.commit = Index(3);
  single.receive(2, 1, heartbeat);
  REQUIRE(single.committed.size() == 1);
  CHECK(single.committed[0].index == Index(3));
}

TEST_CASE("a message that begins below what is compacted is taken from there on") {
  Restored restored = restored_with(3, {1, 1, 1});
  restored.applied = Index(2);
  Single single(restored);
  single.step(Compact{Index(2)});
  AppendEntries late;
  late.entries = entries_of({1, 1, 1, 1});
  single.receive(2, 1, late);
  single.persist();
  CHECK(single.stored.size() == 4);
  CHECK(of_kind<AppendReply>(single.sent).back().second.index == Index(4));
}

TEST_CASE("a follower that needs what was compacted is said to need a snapshot, and the leader leads on") {
  Restored restored = restored_with(3, {1, 1, 1});
  restored.applied = Index(3);
  Single single(restored);
  single.step(Compact{Index(3)});
  single.become_leader();
  single.receive(2, 2, accepted(4));
  single.receive(3, 2, AppendReply{false, Index(3), Index(), Term(), 0});
  CHECK(single.core.followers()[1].pace == Pace::kNeedsSnapshot);
  single.sent.clear();
  single.tick();
  CHECK(of_kind<AppendEntries>(single.sent).size() == 2);  // it still hears that there is a leader
  single.receive(3, 2, AppendReply{false, Index(3), Index(), Term(), 0});
  CHECK(single.core.followers()[1].pace == Pace::kNeedsSnapshot);
  single.receive(3, 2, accepted(3));  // somebody helped it
  CHECK(single.core.followers()[1].pace == Pace::kReplicate);
}

TEST_CASE("a lost connection is made up for from what the follower is known to have") {
  Single single(restored_with(2, {}));
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.step(Propose{commands({"a"})});
  single.step(Propose{commands({"b"})});
  single.sent.clear();
  single.step(PeerLost{id(2)});
  const auto sent = of_kind<AppendEntries>(single.sent);
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].second.previous_index == Index(1));
  CHECK(sent[0].second.entries.size() == 2);
  single.step(PeerLost{id(9)});  // a stranger
}
