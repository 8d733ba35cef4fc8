// The paper's rules in the paper's order: terms and leader election. Ref: Raft §5.1, §5.2, Diss. §9.6
#include <catch2/catch.hpp>
#include <set>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

Body vote_request(std::uint64_t last_index, std::uint64_t last_term, bool transfer = false) {
  return RequestVote{false, transfer, Index(last_index), Term(last_term)};
}

Body pre_vote_request(std::uint64_t last_index, std::uint64_t last_term) {
  return RequestVote{true, false, Index(last_index), Term(last_term)};
}

/// Were votes asked for, and of which kind, in which term?
std::vector<Message> questions(const std::vector<Message>& messages, bool pre_vote) {
  std::vector<Message> found;
  for (const Message& message : messages) {
    const auto* request = std::get_if<RequestVote>(&message.body);
    if (request && request->pre_vote == pre_vote) found.push_back(message);
  }
  return found;
}

}  // namespace

// --- §5.1 ---

TEST_CASE("a follower, candidate or leader that hears of a newer term enters it as a follower") {
  for (const std::string role : {"follower", "candidate", "leader"}) {
    CAPTURE(role);
    Single single(restored_with(3, {}, 1));
    if (role == "candidate") {
      single.tick();
      single.receive(2, 2, VoteReply{true, true});
    }
    if (role == "leader") single.become_leader();
    const Output output = single.receive(2, 7, AppendEntries());
    CHECK(single.core.status().role == Role::kFollower);
    CHECK(single.core.status().term == Term(7));
    CHECK(single.core.status().leader == id(2));
    REQUIRE(output.persist);
    CHECK(output.persist->hard_state == HardState{Term(7), MemberId()});
  }
}

TEST_CASE("a request of an older term is refused and told the newer one") {
  Single single(restored_with(3, {}, 5));
  single.receive(2, 4, AppendEntries());
  single.receive(2, 4, vote_request(9, 4));
  single.receive(2, 5, pre_vote_request(9, 4));  // a pre-vote for term 5, so from term 4
  REQUIRE(single.sent.size() == 3);
  for (const Message& answer : single.sent) CHECK(answer.term == Term(5));
  CHECK_FALSE(std::get<AppendReply>(single.sent[0].body).accepted);
  CHECK(std::get<VoteReply>(single.sent[1].body) == VoteReply{false, false});
  CHECK(std::get<VoteReply>(single.sent[2].body) == VoteReply{true, false});
  CHECK_FALSE(single.core.status().leader);
}

TEST_CASE("answers of an older term are ignored") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.step(Propose{commands({"a"})});
  single.persist();
  const Index commit = single.core.status().commit;
  single.receive(2, 0, AppendReply{true, Index(2), Index(), Term(), 0});
  CHECK(single.core.status().commit == commit);
}

// --- §5.2 ---

TEST_CASE("a member starts as a follower") {
  const Single single(restored_with(3, {}, 3));
  CHECK(single.core.status().role == Role::kFollower);
  CHECK(single.core.status().term == Term(3));
}

TEST_CASE("a leader sends heartbeats to everybody in each interval") {
  Single single(restored_with(3, {}));
  single.become_leader();
  for (int i = 0; i < 3; ++i) {
    single.sent.clear();
    const Instant before = single.now;
    single.tick();
    CHECK(single.now - before == kHeartbeat);
    CHECK(of_kind<AppendEntries>(single.sent).size() == 2);
  }
}

TEST_CASE(
    "an election timeout is drawn anew from one to two times the minimum, and differs between members") {
  Single single(restored_with(3, {}));
  std::set<Duration> drawn;
  for (int i = 0; i < 50; ++i) {
    single.receive(2, 1, AppendEntries());
    const Duration timeout = single.core.deadline() - single.now;
    CHECK(timeout >= kElectionTimeout);
    CHECK(timeout < 2 * kElectionTimeout);
    drawn.insert(timeout);
  }
  CHECK(drawn.size() > 40);
  Single other(restored_with(3, {}), options_for(2));
  CHECK(other.core.deadline() != Single(restored_with(3, {}), options_for(1)).core.deadline());
}

TEST_CASE("a silent election timeout asks for pre-votes of the next term and changes nothing durable") {
  Single single(restored_with(3, {1, 1}, 3));
  const Output output = single.tick();
  CHECK(single.core.status().role == Role::kPreCandidate);
  CHECK(single.core.status().term == Term(3));
  CHECK_FALSE(output.persist);
  const auto asked = questions(single.sent, true);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].term == Term(4));
  CHECK(std::get<RequestVote>(asked[0].body) == RequestVote{true, false, Index(2), Term(1), data_id_of(2)});
}

TEST_CASE("who has known no leader since it started asks soon after a connection has come up") {
  Single single(restored_with(3, {1}, 1));
  CHECK(single.core.deadline() >= at(1000));
  single.step(PeerConnected{id(2), data_id_of(2)});
  CHECK(single.core.deadline() <= at(50));
  single.tick();
  CHECK(questions(single.sent, true).size() == 2);
  // Nobody answered: the next connection is a new reason.
  CHECK(single.core.deadline() >= single.now + kElectionTimeout);
  single.receive(2, 1, VoteReply{true, false});
  single.receive(3, 1, VoteReply{true, false});
  CHECK(single.core.status().role == Role::kFollower);
  single.step(PeerConnected{id(3), data_id_of(3)});
  CHECK(single.core.deadline() <= single.now + kHeartbeat / 2);
  // A leader that speaks in time ends the doubt, for good.
  single.receive(2, 1, AppendEntries{Index(1), Term(1), {}, 0, {}, {}});
  CHECK(single.core.deadline() >= single.now + kElectionTimeout);
  single.step(PeerConnected{id(3), data_id_of(3)});
  CHECK(single.core.deadline() >= single.now + kElectionTimeout);
}

TEST_CASE("a candidate's term and own vote are durable together before it asks anybody") {
  Single single(restored_with(3, {}));
  single.tick();
  const Output output = single.receive(2, 1, VoteReply{true, true});
  CHECK(single.core.status().role == Role::kCandidate);
  CHECK(questions(single.sent, false).empty());
  REQUIRE(output.persist);
  CHECK(output.persist->hard_state == HardState{Term(1), id(1)});
  CHECK(questions(single.persist(), false).size() == 2);
}

TEST_CASE("an older write that completes does not make a candidate's own vote durable") {
  Single single(restored_with(3, {}));
  single.receive(2, 1, AppendEntries());  // writes term 1
  single.receive(2, 1, TimeoutNow());     // writes term 2 and its vote for itself
  REQUIRE(single.core.status().term == Term(2));
  single.receive(3, 2, VoteReply{false, true});
  single.step(Persisted{1});
  CHECK(single.core.status().role == Role::kCandidate);
  single.step(Persisted{2});
  CHECK(single.core.status().role == Role::kLeader);
}

TEST_CASE("a candidate wins with a majority, loses when none is possible, and asks again after a timeout") {
  Single single(restored_with(5, {}));
  const auto stand = [&] {
    single.tick();
    const std::uint64_t would_be = single.core.status().term.value() + 1;
    single.receive(2, would_be, VoteReply{true, true});
    single.receive(3, would_be, VoteReply{true, true});
    single.persist();
    REQUIRE(single.core.status().role == Role::kCandidate);
  };
  stand();
  single.receive(2, 1, VoteReply{false, true});
  CHECK(single.core.status().role == Role::kCandidate);
  single.receive(2, 1, VoteReply{false, true});  // twice is once
  CHECK(single.core.status().role == Role::kCandidate);
  single.receive(3, 1, VoteReply{false, true});
  CHECK(single.core.status().role == Role::kLeader);

  single.receive(2, 2, AppendEntries());
  single.persist();
  stand();
  for (std::uint64_t refusing : {2, 3, 4}) single.receive(refusing, 3, VoteReply{false, false});
  CHECK(single.core.status().role == Role::kFollower);
  stand();
  CHECK(single.core.status().term == Term(4));
  single.tick();
  CHECK(single.core.status().role == Role::kPreCandidate);
}

TEST_CASE("an answer to a pre-vote is never counted as a vote, nor the other way round") {
  Single single(restored_with(3, {}));
  single.tick();
  single.receive(2, 0, VoteReply{false, true});
  CHECK(single.core.status().role == Role::kPreCandidate);
  single.receive(2, 1, VoteReply{true, true});
  single.persist();
  REQUIRE(single.core.status().role == Role::kCandidate);
  single.receive(2, 1, VoteReply{true, true});
  single.receive(3, 1, VoteReply{true, true});
  single.receive(3, 2, VoteReply{true, true});
  CHECK(single.core.status().role == Role::kCandidate);
}

TEST_CASE("a candidate follows the leader that another election of its term brought") {
  Single single(restored_with(3, {}));
  single.tick();
  single.receive(2, 1, VoteReply{true, true});
  single.receive(3, 1, AppendEntries());
  CHECK(single.core.status().role == Role::kFollower);
  CHECK(single.core.status().leader == id(3));
}

TEST_CASE("a member votes once in a term, first come first served, and says so again") {
  Single single(restored_with(3, {}));
  single.receive(2, 1, vote_request(0, 0));
  CHECK(single.sent.empty());  // not before it is durable
  CHECK(single.persist().size() == 1);
  CHECK(single.stored_state == HardState{Term(1), id(2)});
  single.sent.clear();
  single.receive(3, 1, vote_request(0, 0));
  single.receive(2, 1, vote_request(0, 0));
  single.persist();
  REQUIRE(single.sent.size() == 2);
  CHECK_FALSE(std::get<VoteReply>(single.sent[0].body).granted);
  CHECK(std::get<VoteReply>(single.sent[1].body).granted);
}

TEST_CASE("a vote survives a restart") {
  Restored restored = restored_with(3, {}, 4);
  restored.hard_state.voted_for = id(2);
  Single single(restored);
  single.receive(3, 4, vote_request(9, 3));
  REQUIRE(single.sent.size() == 1);
  CHECK_FALSE(std::get<VoteReply>(single.sent[0].body).granted);
}

TEST_CASE("granting a vote puts off the own election, learning a term without granting does not") {
  Single single(restored_with(3, {1, 2}));
  const Instant before = single.core.deadline();
  single.pass(milliseconds(500));
  single.receive(2, 5, vote_request(1, 1));
  CHECK(single.core.status().term == Term(5));
  CHECK(single.core.deadline() == before);
  single.receive(3, 5, vote_request(2, 2));
  CHECK(single.core.deadline() >= single.now + kElectionTimeout);
}

TEST_CASE("a pre-vote that was granted for an older term does not count in a newer campaign") {
  Single single(restored_with(3, {1}, 1));
  single.tick();                                 // would stand in term 2
  single.receive(2, 2, VoteReply{true, false});  // which has begun without it
  single.persist();
  single.tick();                                // would stand in term 3
  single.receive(3, 2, VoteReply{true, true});  // the late answer to the first question
  CHECK(single.core.status().role == Role::kPreCandidate);
  CHECK(single.core.status().term == Term(2));
  single.receive(3, 3, VoteReply{true, true});
  CHECK(single.core.status().role == Role::kCandidate);
}

TEST_CASE("a pre-vote is granted in the term asked for and refused in the voter's own, changing nothing") {
  Single single(restored_with(3, {1, 2}, 3));
  const Instant deadline = single.core.deadline();
  single.receive(2, 9, pre_vote_request(2, 2));
  single.receive(3, 9, pre_vote_request(1, 2));
  REQUIRE(single.sent.size() == 2);
  CHECK(single.sent[0].term == Term(9));
  CHECK(std::get<VoteReply>(single.sent[0].body) == VoteReply{true, true});
  CHECK(single.sent[1].term == Term(3));
  CHECK(std::get<VoteReply>(single.sent[1].body) == VoteReply{true, false});
  CHECK(single.core.status().term == Term(3));
  CHECK(single.core.deadline() == deadline);
  CHECK(single.writes.empty());
}

TEST_CASE("whoever heard from a leader within the minimum election timeout helps nobody to depose it") {
  Single single(restored_with(3, {}));
  single.receive(2, 1, AppendEntries());
  single.persist();
  single.sent.clear();

  single.pass(kElectionTimeout - milliseconds(1));
  single.receive(3, 2, pre_vote_request(9, 9));
  single.receive(3, 2, vote_request(9, 2));
  CHECK(single.core.status().term == Term(1));
  CHECK(of_kind<VoteReply>(single.sent) ==
        std::vector<std::pair<std::uint64_t, VoteReply>>{{3, VoteReply{true, false}}});

  SECTION("but the leader may send a candidate itself") {
    single.receive(3, 2, vote_request(9, 2, true));
    single.persist();
    CHECK(single.stored_state == HardState{Term(2), id(3)});
  }
  SECTION("and after the timeout the leader is not protected any more") {
    single.pass(milliseconds(1));
    single.sent.clear();
    single.receive(3, 2, pre_vote_request(9, 2));
    CHECK(of_kind<VoteReply>(single.sent)[0].second.granted);
    single.receive(3, 2, vote_request(9, 2));
    single.persist();
    CHECK(single.stored_state == HardState{Term(2), id(3)});
  }
}

TEST_CASE("a leader that no majority answers for an election timeout steps down") {
  Single single(restored_with(5, {}));
  single.become_leader();
  for (int i = 0; i < 30; ++i) {
    single.tick();
    single.receive(2, 1, AppendReply{true, Index(1), Index(), Term(), 0});
    single.receive(3, 1, AppendReply{true, Index(1), Index(), Term(), 0});
  }
  REQUIRE(single.core.status().role == Role::kLeader);
  single.step(ConfirmLeadership{1});
  const Instant last_heard = single.now;
  Output output;
  while (single.core.status().role == Role::kLeader) {
    output = single.tick();
    single.receive(2, 1, AppendReply{true, Index(1), Index(), Term(), 0});  // one is no majority
  }
  CHECK(single.now - last_heard == kElectionTimeout);
  CHECK(output.unconfirmed == std::vector<std::uint64_t>{1});
  CHECK(single.core.status().term == Term(1));
  CHECK(single.core.deadline() >= single.now + kElectionTimeout);
}

TEST_CASE("a learner answers for votes but never campaigns, and notices that the leader is gone") {
  Restored restored = restored_with(3, {});
  restored.membership = voters(3, 1);
  Single learner(restored, options_for(4));
  learner.receive(2, 1, vote_request(0, 0));
  CHECK(of_kind<VoteReply>(learner.persist()).size() == 1);
  learner.receive(2, 1, AppendEntries());
  CHECK(learner.core.status().leader == id(2));
  learner.tick();
  CHECK(learner.core.status().role == Role::kFollower);
  CHECK_FALSE(learner.core.status().leader);
}
