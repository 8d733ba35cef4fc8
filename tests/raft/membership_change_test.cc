#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

Restored group(std::uint64_t count, std::uint64_t learners) {
  Restored restored;
  restored.membership = voters(count, learners);
  return restored;
}

/// n1 leads some voters and learners; its no-op (1/1) is committed if `settled`.
struct Leading : Single {
  Leading(std::uint64_t count, std::uint64_t learners, bool settled = true) : Single(group(count, learners)) {
    become_leader();
    if (!settled) return;
    for (std::uint64_t other = 2; other <= count + learners; ++other) receive(other, 1, accepted(1));
  }
};

Output change(Single& single, std::vector<std::uint64_t> to_vote, std::vector<std::uint64_t> to_learn = {}) {
  Membership target;
  for (const std::uint64_t number : to_vote) target.voters.push_back(member(number));
  for (const std::uint64_t number : to_learn) target.learners.push_back(member(number));
  return single.step(ChangeMembership{target});
}

Errc refusal(const Output& output) {
  CHECK_FALSE(output.accepted);
  CHECK_FALSE(output.persist);
  REQUIRE(output.refused);
  return output.refused->code;
}

}  // namespace

TEST_CASE("no change begins before the leader has committed an entry of its own term") {
  Leading single(3, 1, false);
  CHECK(refusal(change(single, {1, 2}, {4})) == Errc::kUnavailable);
  single.receive(2, 1, accepted(1));
  CHECK(change(single, {1, 2}, {4}).accepted);
}

TEST_CASE("only one change is open, from its first entry to the commit of its last") {
  Leading single(3, 1);
  REQUIRE(change(single, {1, 2}, {4}).accepted);
  CHECK(refusal(change(single, {1, 2, 3})) == Errc::kChangeInProgress);
  single.persist();
  single.receive(2, 1, accepted(2));  // the joint entry is committed, and left
  CHECK_FALSE(single.core.membership().is_joint());
  CHECK(refusal(change(single, {1})) == Errc::kChangeInProgress);
  single.persist();
  single.receive(2, 1, accepted(3));
  CHECK(change(single, {1, 2}, {4, 5}).accepted);
}

TEST_CASE("what can never be a membership is refused") {
  Leading single(3, 2);
  CHECK(refusal(change(single, {}, {4, 5})) == Errc::kInvalidArgument);
  CHECK(refusal(change(single, {1, 2, 3}, {4, 5})) == Errc::kInvalidArgument);  // as it is
  CHECK(refusal(change(single, {1, 2, 2}, {4, 5})) == Errc::kInvalidArgument);
  CHECK(refusal(change(single, {1, 2, 3}, {3, 4})) == Errc::kInvalidArgument);
  CHECK(refusal(change(single, {1, 2, 3, 4, 5, 6, 7, 8})) == Errc::kLimitExceeded);
  CHECK(refusal(change(single, {1, 2, 3}, {4, 5, 6, 7, 8, 9, 10, 11})) == Errc::kLimitExceeded);

  Membership target = voters(3);
  target.learners.push_back({id(9), "n9", "", ""});
  CHECK(refusal(single.step(ChangeMembership{target})) == Errc::kInvalidArgument);
  target.learners[0] = {id(9), "", "host:9", ""};
  CHECK(refusal(single.step(ChangeMembership{target})) == Errc::kInvalidArgument);
  target.learners[0] = {MemberId(), "n9", "host:9", ""};
  CHECK(refusal(single.step(ChangeMembership{target})) == Errc::kInvalidArgument);
  target = voters(3);
  target.outgoing_voters = voters(3).voters;
  CHECK(refusal(single.step(ChangeMembership{target})) == Errc::kInvalidArgument);
}

TEST_CASE("a member keeps its name and its disk for as long as it is one") {
  Leading single(3, 0);
  Membership target = voters(3);
  target.voters[2].data_id = "another disk";
  CHECK(refusal(single.step(ChangeMembership{target})) == Errc::kInvalidArgument);
  target = voters(3);
  target.voters[2].name = "another name";
  CHECK(refusal(single.step(ChangeMembership{target})) == Errc::kInvalidArgument);
  target = voters(3);
  target.voters[2].peer_address = "another:1";
  target.voters[2].data_id.clear();  // the core knows
  REQUIRE(single.step(ChangeMembership{target}).accepted);
  CHECK_FALSE(single.core.membership().is_joint());
  CHECK(single.core.membership().voters[2].data_id == data_id_of(3));
}

TEST_CASE("a voter comes from a learner that has caught up and answers") {
  Leading single(1, 1);
  CHECK(refusal(change(single, {1, 5}, {2})) == Errc::kNotCaughtUp);
  for (int i = 0; i < 1001; ++i) single.step(Propose{commands({"x"})});
  single.persist();
  CHECK(refusal(change(single, {1, 2})) == Errc::kNotCaughtUp);
  single.receive(2, 1, accepted(3));
  CHECK(change(single, {1, 2}).accepted);
}

// Its few entries may be in an image of any size, and until that is there nothing is committed that needs it.
TEST_CASE("a learner that is still being sent an image is not promoted") {
  Leading single(1, 1, false);
  single.step(Propose{commands({"x"})});
  single.persist();
  single.step(Compact{Index(2)});
  single.receive(2, 1, AppendReply{false, Index(0), Index(0), Term(0), 0});
  REQUIRE(single.core.followers().front().pace == Pace::kNeedsSnapshot);
  CHECK(refusal(change(single, {1, 2})) == Errc::kNotCaughtUp);
  single.receive(2, 1, accepted(2));
  CHECK(change(single, {1, 2}).accepted);
}

// One of 20,000 seeds: promoted in the moment between its first answer and the image that it turned out to
// need, it was needed for every commit, and had ended by itself before the image was there.
TEST_CASE("a learner that has not said yet where its log ends, and may need an image, is not promoted") {
  Restored restored = group(1, 1);
  restored.base_index = restored.applied = Index(5);
  restored.base_term = restored.hard_state.term = Term(1);
  Single single(restored);
  single.become_leader();
  single.receive(2, 2, AppendReply{false, Index(9), Index(9), Term(1), 0});  // to something of before
  REQUIRE(single.core.followers().front().pace == Pace::kProbe);
  CHECK(refusal(change(single, {1, 2})) == Errc::kNotCaughtUp);
  single.receive(2, 2, accepted(6));
  CHECK(change(single, {1, 2}).accepted);
}

TEST_CASE("a learner that was silent for an election timeout, or whose disk nobody knows, is not promoted") {
  Leading silent(1, 1);
  silent.pass(kElectionTimeout);
  CHECK(refusal(change(silent, {1, 2})) == Errc::kNotCaughtUp);

  Restored restored;
  restored.membership = voters(1, 1);
  restored.membership.learners[0].data_id.clear();
  Single unknown(restored);
  unknown.become_leader();
  unknown.receive(2, 1, accepted(1));
  CHECK(refusal(change(unknown, {1, 2})) == Errc::kNotCaughtUp);
}

TEST_CASE("a change that would leave no live majority is refused") {
  Leading single(3, 0);
  single.pass(milliseconds(900));
  single.receive(2, 1, accepted(1));
  single.pass(milliseconds(200));  // n3 is silent
  CHECK(refusal(change(single, {1, 3})) == Errc::kWouldLoseQuorum);
  CHECK(change(single, {1, 2}).accepted);
}

TEST_CASE("a change is refused that would wait for an image to arrive") {
  Leading single(3, 0, false);
  single.receive(3, 1, AppendReply{false, Index(0), Index(0), Term(0), 0});
  single.receive(2, 1, accepted(1));
  single.step(Compact{Index(1)});
  REQUIRE(single.core.followers().back().pace == Pace::kNeedsSnapshot);
  CHECK(refusal(change(single, {1, 3})) == Errc::kWouldLoseQuorum);
  CHECK(change(single, {1, 2}).accepted);
}

// A change right after an election would need one that may have been away for days.
TEST_CASE("a voter that has not answered this leader yet is none that answers") {
  Leading single(3, 0, false);
  single.receive(2, 1, accepted(1));
  REQUIRE(single.core.status().own_term_committed);
  CHECK(refusal(change(single, {1, 3})) == Errc::kWouldLoseQuorum);
  single.receive(3, 1, accepted(1));
  single.step(PeerLost{id(3)});
  CHECK(refusal(change(single, {1, 3})) == Errc::kWouldLoseQuorum);
  single.receive(3, 1, accepted(1));
  CHECK(change(single, {1, 3}).accepted);
}

TEST_CASE("who is removed hears of it at once, though other news of a commit waits") {
  Options options = options_for(1);
  options.commit_news_delay = milliseconds(10);
  Single single(group(3, 1), options);
  single.become_leader();
  for (const std::uint64_t other : {2, 3, 4}) single.receive(other, 1, accepted(1));
  REQUIRE(change(single, {1, 2, 3}).accepted);
  single.persist();
  for (const std::uint64_t other : {4, 3}) single.receive(other, 1, accepted(2));
  REQUIRE(single.core.status().commit == Index(2));
  REQUIRE(single.core.followers().size() == 2);
  const auto told = of_kind<AppendEntries>(single.sent);
  const auto heard = [&](std::uint64_t member) {
    return std::any_of(told.begin(), told.end(), [&](const auto& each) {
      return each.first == member && each.second.commit == Index(2);
    });
  };
  CHECK(heard(4));
  CHECK_FALSE(heard(3));
}

// A founder that was never seen had not been silent yet when another one was removed. It was then needed, and
// could not vote: nobody's log knew its disk, and there was nobody left to put it on record.
TEST_CASE("a change that leaves a majority without data on record is refused") {
  Restored restored = group(3, 0);
  restored.membership.voters[2].data_id.clear();
  Single single(restored);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.receive(3, 1, accepted(1));
  REQUIRE(single.core.status().own_term_committed);
  CHECK(refusal(change(single, {1, 3})) == Errc::kWouldLoseQuorum);
  single.step(PeerConnected{id(3), data_id_of(3)});
  single.persist();
  single.receive(2, 1, accepted(2));
  CHECK(change(single, {1, 3}).accepted);
}

TEST_CASE("during a joint membership a majority of each side commits, and less does not") {
  Leading single(3, 2);
  REQUIRE(change(single, {1, 4, 5}).accepted);
  single.persist();
  single.receive(4, 1, accepted(2));
  single.receive(5, 1, accepted(2));
  CHECK(single.core.status().commit == Index(1));
  single.receive(3, 1, accepted(2));
  CHECK(single.core.status().commit == Index(2));
  CHECK_FALSE(single.core.membership().is_joint());
}

TEST_CASE("nothing is committed under a membership before the entry that brought it") {
  Leading single(3, 0);
  single.step(Propose{commands({"a"})});
  REQUIRE(change(single, {1, 2}).accepted);
  single.persist();
  single.receive(2, 1, accepted(2));  // a majority of both sides has the write, not the entry behind it
  CHECK(single.core.status().commit == Index(1));
  single.receive(2, 1, accepted(3));
  CHECK(single.core.status().commit == Index(3));
}

TEST_CASE(
    "a leader that is removed does not count itself, and steps down once it is settled and handed over") {
  Leading single(3, 0);
  REQUIRE(change(single, {2, 3}).accepted);
  single.persist();
  single.receive(2, 1, accepted(2));
  CHECK(single.core.membership().is_joint());  // of n2 and n3, n2 is no majority
  single.receive(3, 1, accepted(2));
  single.persist();
  REQUIRE(single.core.membership() == Membership{{member(2), member(3)}, {}, {}});
  single.receive(2, 1, accepted(3));
  CHECK(single.core.status().commit == Index(2));
  CHECK(single.core.status().role == Role::kLeader);
  const Output output = single.receive(3, 1, accepted(3));
  CHECK(single.core.status().commit == Index(3));
  CHECK(of_kind<TimeoutNow>(output.send).size() == 1);
  CHECK(single.core.status().transferring);
  while (single.core.status().role == Role::kLeader) {
    single.tick();
    if (single.core.status().role == Role::kLeader) single.receive(2, 1, accepted(3));
  }
  CHECK(single.core.deadline() > single.now);
  const Term term = single.core.status().term;
  single.tick();
  CHECK(single.core.status().role == Role::kFollower);  // it does not stand
  CHECK(single.core.status().term == term);
}

TEST_CASE("a membership is taken back with its entry, whatever was compacted below it") {
  Restored restored = restored_with(3, {1, 1});
  restored.applied = Index(2);
  Single single(restored);
  single.step(Compact{Index(2)});
  AppendEntries append;
  append.previous_index = Index(2);
  append.previous_term = Term(1);
  append.entries = {{Term(2), Index(3), EntryKind::kMembership, Blob()}};
  append.entries[0].membership = std::make_shared<const Membership>(voters(4));
  CHECK(single.receive(2, 2, append).membership_changed);
  CHECK(single.core.membership() == voters(4));
  CHECK(single.core.membership_index() == Index(3));
  append.entries = entries_of({3}, 3);
  CHECK(single.receive(3, 3, append).membership_changed);
  CHECK(single.core.membership() == voters(3));
  CHECK(*single.core.membership_at(Index(2)) == voters(3));
}

TEST_CASE("compacting the log keeps the membership at its base") {
  Restored restored = restored_with(3, {1, 1, 1, 1});
  restored.entries[1] = {Term(1), Index(2), EntryKind::kMembership, Blob()};
  restored.entries[1].membership = std::make_shared<const Membership>(voters(2));
  restored.applied = Index(4);
  Single single(restored);
  CHECK(*single.core.membership_at(Index(1)) == voters(3));
  CHECK(*single.core.membership_at(Index(2)) == voters(2));
  single.step(Compact{Index(3)});
  CHECK(single.core.membership() == voters(2));
  CHECK(*single.core.membership_at(Index(3)) == voters(2));
}

TEST_CASE("the answers of a removed member confirm no read and hold up no check for a quorum") {
  Leading single(3, 0);
  REQUIRE(change(single, {1, 2}).accepted);
  single.persist();
  single.receive(2, 1, accepted(2));
  single.persist();
  single.receive(2, 1, accepted(3));
  single.step(ConfirmLeadership{1});
  AppendReply echo = accepted(3);
  echo.round = 1;
  CHECK(single.receive(3, 1, echo).confirmed.empty());
  CHECK(single.receive(3, 9, AppendReply()).confirmed.empty());
  CHECK(single.core.status().term == Term(1));  // nor depose anybody
  CHECK(single.receive(2, 1, echo).confirmed.size() == 1);
}

TEST_CASE(
    "a server that knows nobody follows a leader, votes for a candidate that counts on it, and never "
    "stands") {
  Single joining{Restored(), options_for(9)};
  joining.step(PeerConnected{id(1), data_id_of(1)});
  joining.receive(1, 3, AppendEntries());
  CHECK(joining.core.status().leader == id(1));
  joining.persist();
  joining.tick();
  joining.tick();
  CHECK(joining.core.status().role == Role::kFollower);
  RequestVote request;
  request.last_index = Index(5);
  request.last_term = Term(3);
  joining.receive(2, 4, request);
  CHECK_FALSE(of_kind<VoteReply>(joining.persist()).size());
  request.recorded_data_id = data_id_of(9);
  joining.receive(2, 4, request);
  const auto votes = of_kind<VoteReply>(joining.persist());
  REQUIRE(votes.size() == 1);
  CHECK(votes[0].second.granted);
}
