#include "raft/core.h"

#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

TEST_CASE("three members elect a leader and commit what it takes") {
  Cluster cluster(3);
  cluster.pass(milliseconds(3000));
  const auto leader = cluster.leader();
  REQUIRE(leader);
  cluster.propose(*leader, "a");
  cluster.settle();
  for (std::uint64_t i : {1, 2, 3}) {
    REQUIRE(cluster[i].committed.size() == 2);
    CHECK(cluster[i].committed[0].kind == EntryKind::kNoop);
    CHECK(cluster[i].committed[1].payload.view() == "a");
    CHECK(cluster[i].committed == cluster[i].stored);
    CHECK(cluster[i].core.status().leader == id(*leader));
  }
}

TEST_CASE("a cluster of one leads at once and commits only what is durable") {
  Single single(restored_with(1, {}));
  CHECK(single.core.deadline() == single.now);
  single.step(Tick{});
  CHECK(single.core.status().role == Role::kCandidate);
  single.persist();
  REQUIRE(single.core.status().role == Role::kLeader);
  single.step(Propose{commands({"a"})});
  CHECK(single.committed.size() == 1);
  single.persist();
  CHECK(single.committed.size() == 2);
}
