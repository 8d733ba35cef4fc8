// The paper's rules in the paper's order: safety, and clients. Ref: Raft §5.4, §8, Diss. §3.10, §6.4
#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

std::vector<std::uint64_t> ids(const std::vector<Confirmed>& answers) {
  std::vector<std::uint64_t> found;
  for (const Confirmed& answer : answers) found.push_back(answer.id);
  return found;
}

/// The round of the newest message sent.
std::uint64_t round_sent(const Single& single) {
  return of_kind<AppendEntries>(single.sent).back().second.round;
}

}  // namespace

// --- §5.4.1 ---

TEST_CASE("a vote goes only to a log that is at least as complete") {
  struct Row {
    std::vector<std::uint64_t> log;
    std::uint64_t last_index, last_term;
    bool granted;
  };
  const std::vector<Row> table = {
      {{1}, 1, 1, true},  {{1}, 2, 1, true},  {{1, 1}, 1, 1, false}, {{1}, 1, 2, true}, {{1, 1}, 1, 2, true},
      {{2}, 1, 1, false}, {{2}, 9, 1, false}, {{1, 1}, 1, 1, false}, {{}, 0, 0, true},
  };
  for (const Row& row : table) {
    CAPTURE(row.log, row.last_index, row.last_term);
    Single single(restored_with(3, row.log));
    single.receive(2, 5, RequestVote{false, false, Index(row.last_index), Term(row.last_term)});
    single.persist();
    REQUIRE(of_kind<VoteReply>(single.sent).size() == 1);
    CHECK(of_kind<VoteReply>(single.sent)[0].second.granted == row.granted);
  }
}

// --- §5.4.2 ---

TEST_CASE("an older term's entry is not committed by counting, only beneath one of the leader's own term") {
  Single single(restored_with(3, {1, 2}, 2));
  single.become_leader();  // term 3, no-op at 3
  single.receive(2, 3, accepted(2));
  single.receive(3, 3, accepted(2));
  CHECK(single.core.status().commit == Index(0));
  CHECK(single.committed.empty());
  single.receive(2, 3, accepted(3));
  CHECK(single.core.status().commit == Index(3));
  CHECK(single.committed.size() == 3);
}

// --- §8 ---

TEST_CASE("a leader begins its term with a no-op") {
  Single single(restored_with(3, {1, 1}));
  single.become_leader();
  REQUIRE(single.stored.size() == 3);
  CHECK(single.stored[2] == Entry{Term(2), Index(3), EntryKind::kNoop, Blob()});
  CHECK_FALSE(single.core.status().own_term_committed);
  single.receive(2, 2, accepted(3));
  CHECK(single.core.status().own_term_committed);
}

TEST_CASE("a question is answered only after the leader's own no-op is committed") {
  Single single(restored_with(3, {1, 1}));
  single.become_leader();
  single.step(ConfirmLeadership{1});
  Output output = single.receive(2, 2, accepted(2, round_sent(single)));
  CHECK(output.confirmed.empty());
  output = single.receive(2, 2, accepted(3, round_sent(single)));
  CHECK(output.confirmed.empty());  // that answer was to what was sent before the round began
  output = single.receive(2, 2, accepted(3, round_sent(single)));
  REQUIRE(ids(output.confirmed) == std::vector<std::uint64_t>{1});
  CHECK(output.confirmed[0].read_index == Index(3));
}

TEST_CASE("all questions that wait share the next round, and an answer to an older round confirms nothing") {
  Single single(restored_with(5, {}));
  single.become_leader();
  for (std::uint64_t other : {2, 3}) single.receive(other, 1, accepted(1));
  single.step(ConfirmLeadership{1});
  const std::uint64_t first = round_sent(single);
  single.step(ConfirmLeadership{2});
  single.step(ConfirmLeadership{3});
  CHECK(round_sent(single) == first);

  CHECK(single.receive(2, 1, accepted(1, first)).confirmed.empty());
  CHECK(single.receive(2, 1, accepted(1, first)).confirmed.empty());  // twice is once
  const Output output = single.receive(3, 1, accepted(1, first));
  CHECK(ids(output.confirmed) == std::vector<std::uint64_t>{1});
  const std::uint64_t second = round_sent(single);
  CHECK(second > first);
  CHECK(single.receive(4, 1, accepted(1, first)).confirmed.empty());
  CHECK(single.receive(4, 1, accepted(1, second)).confirmed.empty());
  CHECK(ids(single.receive(5, 1, accepted(1, second)).confirmed) == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("a lost round is made up for by the next heartbeat, for those that came later too") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.step(ConfirmLeadership{1});
  const std::uint64_t lost = round_sent(single);
  single.step(ConfirmLeadership{2});
  single.tick();
  CHECK(round_sent(single) > lost);
  CHECK(ids(single.receive(2, 1, accepted(1, round_sent(single))).confirmed) ==
        std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a learner's answer confirms nothing, a refusing voter's does") {
  Restored restored = restored_with(3, {});
  restored.membership = voters(3, 2);
  Single single(restored);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.step(ConfirmLeadership{1});
  const std::uint64_t round = round_sent(single);
  CHECK(single.receive(4, 1, accepted(1, round)).confirmed.empty());
  CHECK(single.receive(5, 1, accepted(1, round)).confirmed.empty());
  // Its log lags, but it follows this leader.
  CHECK(single.receive(3, 1, AppendReply{false, Index(1), Index(), Term(), round}).confirmed.size() == 1);
}

TEST_CASE("whoever does not lead, or ceases to, says that it cannot confirm") {
  Single single(restored_with(3, {}));
  CHECK(single.step(ConfirmLeadership{1}).unconfirmed == std::vector<std::uint64_t>{1});
  single.become_leader();
  single.step(ConfirmLeadership{2});
  single.step(ConfirmLeadership{3});
  CHECK(single.receive(2, 9, AppendEntries()).unconfirmed == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("an answer to a leadership that is over confirms nothing in the next one") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.step(ConfirmLeadership{1});
  const std::uint64_t old_round = round_sent(single);
  single.receive(3, 2, AppendReply());
  single.persist();
  single.become_leader();
  const std::uint64_t term = single.core.status().term.value();
  single.receive(2, term, accepted(2));
  single.step(ConfirmLeadership{2});
  CHECK(single.receive(2, 1, accepted(1, old_round)).confirmed.empty());
  CHECK(single.receive(2, term, accepted(2, old_round)).confirmed.empty());
  CHECK(single.receive(2, term, accepted(2, round_sent(single))).confirmed.size() == 1);
}

TEST_CASE("a cluster of one confirms at once") {
  Single single(restored_with(1, {}));
  single.step(Tick{});
  single.persist();
  CHECK(single.step(ConfirmLeadership{1}).confirmed.size() == 1);
}

// --- Diss. §3.10 ---

TEST_CASE("leadership is handed to a voter that has everything, at once") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(2, 1, accepted(1));
  const Output output = single.step(TransferLeadership{id(2)});
  CHECK(of_kind<TimeoutNow>(output.send).size() == 1);
  CHECK(single.core.status().transferring);
  CHECK_FALSE(single.step(Propose{commands({"a"})}).accepted);
}

TEST_CASE("leadership waits for its target to catch up, and is given up after an election timeout") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.receive(3, 1, accepted(1));
  single.step(Propose{commands({"a"})});
  single.persist();
  const Instant begin = single.now;
  CHECK(of_kind<TimeoutNow>(single.step(TransferLeadership{id(2)}).send).empty());
  SECTION("it catches up") {
    CHECK(of_kind<TimeoutNow>(single.receive(2, 1, accepted(2)).send).size() == 1);
    CHECK(of_kind<TimeoutNow>(single.receive(2, 1, accepted(2)).send).empty());
  }
  SECTION("it does not") {
    while (single.core.status().transferring) {
      single.tick();
      single.receive(3, 1, accepted(2));
    }
    CHECK(single.now - begin == kElectionTimeout);
    CHECK(single.core.status().role == Role::kLeader);
    CHECK(single.step(Propose{commands({"b"})}).accepted);
  }
  SECTION("another is not sent beside it: each would take the other's votes") {
    single.receive(3, 1, accepted(2));
    const Output output = single.step(TransferLeadership{id(3)});
    CHECK(of_kind<TimeoutNow>(output.send).empty());
    CHECK(output.refused->code == Errc::kChangeInProgress);
    CHECK(of_kind<TimeoutNow>(single.receive(2, 1, accepted(2)).send).size() == 1);
  }
  SECTION("the same is asked for again, which buys it no time") {
    single.pass(milliseconds(50));
    single.step(TransferLeadership{id(2)});
    for (int i = 0; i < 9; ++i) {
      single.tick();
      single.receive(3, 1, accepted(2));
    }
    CHECK(single.core.deadline() <= begin + kElectionTimeout);
  }
}

TEST_CASE(
    "leadership goes to the voter that is furthest when nobody is named, never to a learner or a stranger") {
  Restored restored = restored_with(3, {});
  restored.membership = voters(3, 1);
  Single single(restored);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  for (std::uint64_t wrong : {1, 4, 9}) {
    single.step(TransferLeadership{id(wrong)});
    CHECK_FALSE(single.core.status().transferring);
  }
  single.receive(4, 1, accepted(1));
  const Output output = single.step(TransferLeadership{});
  REQUIRE(of_kind<TimeoutNow>(output.send).size() == 1);
  CHECK(of_kind<TimeoutNow>(output.send)[0].first == 2);
}

TEST_CASE("told to, a follower campaigns at once and past the others' protection of their leader") {
  Cluster cluster(3);
  cluster.campaign(1);
  REQUIRE(cluster.leader() == 1);
  cluster[1].step(TransferLeadership{id(3)});
  cluster.settle();
  CHECK(cluster.leader() == 3);
  CHECK(cluster[3].core.status().term == Term(2));
  CHECK(cluster[1].core.status().leader == id(3));
}

TEST_CASE("only the leader of the term can tell a member to campaign, and only a voter") {
  Single single(restored_with(3, {}));
  single.receive(2, 1, AppendEntries());
  single.receive(3, 1, TimeoutNow());
  single.receive(3, 2, TimeoutNow());
  CHECK(single.core.status().role == Role::kFollower);

  Restored restored = restored_with(3, {});
  restored.membership = voters(3, 1);
  Single learner(restored, options_for(4));
  learner.receive(2, 1, AppendEntries());
  learner.receive(2, 1, TimeoutNow());
  CHECK(learner.core.status().role == Role::kFollower);
}
