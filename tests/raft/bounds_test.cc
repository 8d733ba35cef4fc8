#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

TEST_CASE("the bytes in flight to a follower are bounded, and one message always goes") {
  Options options = options_for(1);
  options.max_append_bytes = 1;  // an entry a message
  options.max_bytes_in_flight = 200;
  Single single(restored_with(2, {}), options);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  for (int i = 0; i < 10; ++i) single.step(Propose{commands({std::string(100, 'x')})});
  CHECK(single.core.followers()[0].in_flight == 2);
  CHECK(single.core.followers()[0].bytes_in_flight >= 200);
  for (std::uint64_t index = 2; index <= 11; ++index) single.receive(2, 1, accepted(index));
  CHECK(single.core.followers()[0].match == Index(11));
  CHECK(single.core.followers()[0].bytes_in_flight == 0);
  single.step(Propose{commands({std::string(1000, 'x')})});
  CHECK(single.core.followers()[0].in_flight == 1);
}

TEST_CASE("a window that was lost with a connection opens again") {
  Options options = options_for(1);
  options.max_bytes_in_flight = 10;
  Single single(restored_with(2, {}), options);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.step(Propose{commands({"a"})});
  single.step(Propose{commands({"b"})});
  REQUIRE(single.core.followers()[0].in_flight == 1);
  single.sent.clear();
  single.step(PeerLost{id(2)});
  CHECK(of_kind<AppendEntries>(single.sent)[0].second.entries.size() == 2);
  CHECK(single.core.followers()[0].bytes_in_flight == 0);
  single.receive(2, 1, accepted(3));
  single.step(Propose{commands({"c"})});
  CHECK(single.core.followers()[0].in_flight == 1);
}

TEST_CASE("what waits to be replicated is bounded, and taken again once it is") {
  Options options = options_for(1);
  options.max_uncommitted_bytes = 300;
  Single single(restored_with(3, {}), options);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  CHECK(single.step(Propose{commands({std::string(1000, 'x')})}).accepted);  // one at a time always
  const Output refused = single.step(Propose{commands({"y"})});
  CHECK_FALSE(refused.accepted);
  CHECK(refused.refused->code == Errc::kOverloaded);
  CHECK(single.core.status().last == Index(2));
  single.persist();
  single.receive(2, 1, accepted(2));
  CHECK(single.step(Propose{commands({"y"})}).accepted);
}

TEST_CASE("a new leader counts what it inherits") {
  Options options = options_for(1);
  options.max_uncommitted_bytes = 100;
  Single single(restored_with(3, {1, 1, 1}), options);
  single.become_leader();
  CHECK(single.step(Propose{commands({"y"})}).refused->code == Errc::kOverloaded);
  single.receive(2, 2, accepted(4));
  CHECK(single.step(Propose{commands({"y"})}).accepted);
}

TEST_CASE("whoever cannot take a proposal says why") {
  Single follower(restored_with(3, {}));
  CHECK(follower.step(Propose{commands({"a"})}).refused->code == Errc::kNotLeader);
  CHECK(follower.step(TransferLeadership{id(2)}).refused->code == Errc::kNotLeader);
  CHECK(follower.step(ChangeMembership{voters(2)}).refused->code == Errc::kNotLeader);
  Single leader(restored_with(3, {}));
  leader.become_leader();
  CHECK(leader.step(TransferLeadership{id(1)}).refused->code == Errc::kInvalidArgument);
  CHECK(leader.step(TransferLeadership{id(9)}).refused->code == Errc::kMemberNotFound);
  leader.step(TransferLeadership{id(2)});
  CHECK(leader.step(Propose{commands({"a"})}).refused->code == Errc::kUnavailable);
}

TEST_CASE("a leader whose disk does not answer for an election timeout hands over and steps down") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(3, 1, accepted(1));
  single.step(Propose{commands({"a"})});  // never becomes durable
  Output output;
  const Instant asked = single.now;
  while (single.core.status().role == Role::kLeader) {
    single.receive(2, 1, AppendReply{true, Index(1), Index(), Term(), 0});
    single.receive(3, 1, accepted(2));
    output = single.tick();
    REQUIRE(single.now - asked < 2 * kElectionTimeout);
  }
  CHECK(single.now - asked >= kElectionTimeout);
  REQUIRE(of_kind<TimeoutNow>(output.send).size() == 1);
  CHECK(of_kind<TimeoutNow>(output.send)[0].first == 3);  // the furthest

  SECTION("and does not stand before its disk has answered") {
    single.tick();
    CHECK(single.core.status().role == Role::kFollower);
    single.persist();
    single.tick();
    CHECK(single.core.status().role == Role::kPreCandidate);
  }
}

TEST_CASE("the only voter leads on with a slow disk: there is nobody to make room for") {
  Single single(restored_with(1, {}));
  single.step(Tick{});
  single.persist();
  single.step(Propose{commands({"a"})});
  for (int i = 0; i < 30; ++i) single.tick();
  CHECK(single.core.status().role == Role::kLeader);
  CHECK(single.core.status().commit == Index(1));
}
