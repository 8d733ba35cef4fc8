// The paper's rules in the paper's order: log replication. Ref: Raft §5.3
#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

AppendEntries append(std::uint64_t previous, std::uint64_t previous_term, std::vector<Entry> entries,
                     std::uint64_t commit = 0) {
  AppendEntries body;
  body.previous_index = Index(previous);
  body.previous_term = Term(previous_term);
  body.entries = std::move(entries);
  body.commit = Index(commit);
  return body;
}

std::vector<std::uint64_t> stored_terms(const Single& single) {
  std::vector<std::uint64_t> terms;
  for (const Entry& entry : single.stored) terms.push_back(entry.term.value());
  return terms;
}

std::vector<AppendReply> replies(const std::vector<Message>& messages) {
  std::vector<AppendReply> found;
  for (const auto& [to, reply] : of_kind<AppendReply>(messages)) found.push_back(reply);
  return found;
}

}  // namespace

TEST_CASE("a leader appends what it takes in order, and sends it before its own disk has it") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.sent.clear();
  const Output output = single.step(Propose{commands({"a", "b"})});
  REQUIRE(output.accepted);
  CHECK(output.accepted->first == Index(2));
  CHECK(output.accepted->term == Term(1));
  REQUIRE(output.persist);
  CHECK(output.persist->entries.size() == 2);
  const auto sent = of_kind<AppendEntries>(output.send);
  REQUIRE(sent.size() == 1);  // 3 is still being probed
  CHECK(sent[0].first == 2);
  CHECK(sent[0].second.previous_index == Index(1));
  CHECK(sent[0].second.entries == output.persist->entries);
}

TEST_CASE("nobody but a leader takes a proposal") {
  Single single(restored_with(3, {}));
  CHECK_FALSE(single.step(Propose{commands({"a"})}).accepted);
  single.tick();
  CHECK_FALSE(single.step(Propose{commands({"a"})}).accepted);
  CHECK(single.core.status().last == Index(0));
}

TEST_CASE("an entry is committed when a majority durably has it, and handed out once") {
  Single single(restored_with(5, {}));
  single.become_leader();
  single.receive(2, 1, accepted(1));
  CHECK(single.committed.empty());
  const Output output = single.receive(3, 1, accepted(1));
  CHECK(output.committed.size() == 1);
  CHECK(single.receive(4, 1, accepted(1)).committed.empty());
  CHECK(single.core.status().commit == Index(1));
}

TEST_CASE("a leader counts itself only up to what its disk has") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.step(Propose{commands({"a"})});
  single.receive(2, 1, accepted(2));
  CHECK(single.core.status().commit == Index(1));
  single.persist();
  CHECK(single.core.status().commit == Index(2));
}

TEST_CASE("a majority commits without the leader's slow disk") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.step(Propose{commands({"a"})});
  single.receive(2, 1, accepted(2));
  single.receive(3, 1, accepted(2));
  CHECK(single.core.status().commit == Index(2));
  CHECK(single.core.status().durable == Index(1));
}

TEST_CASE("a follower acknowledges entries only once they are durable, in the term they came in") {
  Single single(restored_with(3, {}));
  Output output = single.receive(2, 1, append(0, 0, entries_of({1, 1})));
  CHECK(output.send.empty());
  REQUIRE(output.persist);
  CHECK(output.persist->entries.size() == 2);
  CHECK(replies(output.persist->then_send) == std::vector<AppendReply>{accepted(2)});
  single.persist();

  output = single.receive(2, 1, append(2, 1, entries_of({1}, 3)));
  // The same again while the disk is busy: what is durable is two.
  output = single.receive(2, 1, append(2, 1, entries_of({1}, 3)));
  CHECK_FALSE(output.persist);
  CHECK(replies(output.send) == std::vector<AppendReply>{accepted(2)});
  single.persist();
  output = single.receive(2, 1, append(3, 1, {}));
  CHECK(replies(output.send) == std::vector<AppendReply>{accepted(3)});
}

TEST_CASE("an answer waits until the term it speaks in is durable") {
  Single single(restored_with(3, {1}));
  Output output = single.receive(2, 4, append(1, 1, {}));
  CHECK(output.send.empty());
  output = single.receive(2, 4, append(1, 1, {}));
  CHECK(output.send.empty());
  CHECK(replies(single.persist()).size() == 2);
}

TEST_CASE("a follower commits what its leader committed, as far as the message shows the logs to match") {
  Single single(restored_with(3, {1, 1, 1}));
  single.receive(2, 2, append(1, 1, {}, 3));
  CHECK(single.core.status().commit == Index(1));
  single.receive(2, 2, append(1, 1, entries_of({1}, 2), 3));
  CHECK(single.core.status().commit == Index(2));
  single.receive(2, 2, append(3, 1, {}, 2));
  CHECK(single.core.status().commit == Index(2));
  CHECK(single.committed == entries_of({1, 1}));
}

TEST_CASE("what does not follow on the log is refused with a hint") {
  Single single(restored_with(3, {1, 1, 4, 4, 4}));
  const auto hint = [&](std::uint64_t previous, std::uint64_t term) {
    single.sent.clear();
    single.receive(2, 9, append(previous, term, {}));
    single.persist();
    const AppendReply reply = replies(single.sent).at(0);
    CHECK_FALSE(reply.accepted);
    CHECK(reply.index == Index(previous));
    return std::pair(reply.hint_index.value(), reply.hint_term.value());
  };
  CHECK(hint(9, 7) == std::pair<std::uint64_t, std::uint64_t>(5, 4));  // too short
  CHECK(hint(5, 3) == std::pair<std::uint64_t, std::uint64_t>(2, 1));  // a term that the leader never had
  CHECK(hint(4, 5) == std::pair<std::uint64_t, std::uint64_t>(4, 4));
}

TEST_CASE("a follower's conflicting entries are replaced by the leader's") {
  // Ref: Raft fig. 7, a to f, under a leader of term 8
  struct Row {
    std::vector<std::uint64_t> log;
    std::uint64_t previous, previous_term;
    std::vector<std::uint64_t> entries;
    std::vector<std::uint64_t> after;
  };
  const std::vector<Row> table = {
      {{1, 2, 3}, 3, 3, {4}, {1, 2, 3, 4}},
      {{1, 2, 3}, 1, 1, {3, 4}, {1, 3, 4}},
      {{1, 2, 3}, 0, 0, {1, 2, 4}, {1, 2, 4}},
      {{1, 2, 3}, 0, 0, {2, 2, 2}, {2, 2, 2}},
      {{}, 0, 0, {5}, {5}},
  };
  for (const Row& row : table) {
    CAPTURE(row.log, row.entries);
    Single single(restored_with(3, row.log));
    single.receive(2, 8, append(row.previous, row.previous_term, entries_of(row.entries, row.previous + 1)));
    single.persist();
    CHECK(stored_terms(single) == row.after);
    CHECK(single.core.status().durable == Index(row.after.size()));
  }
}

TEST_CASE("a late message never truncates a matching suffix") {
  Single single(restored_with(3, {1, 1, 1, 1}));
  single.receive(2, 1, append(0, 0, entries_of({1, 1})));
  single.receive(2, 1, append(1, 1, {}));
  single.persist();
  CHECK(stored_terms(single) == std::vector<std::uint64_t>{1, 1, 1, 1});
  CHECK(single.core.status().last == Index(4));
  for (const AppendReply& reply : replies(single.sent)) CHECK(reply.index <= Index(2));
}

TEST_CASE("appends are pipelined up to the window, and each is bounded in bytes") {
  Options options = options_for(1);
  options.max_appends_in_flight = 3;
  options.max_append_bytes = 100;
  Single single(restored_with(2, {}), options);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  single.sent.clear();
  single.step(Propose{commands(std::vector<std::string>(10, std::string(60, 'x')))});
  auto sent = of_kind<AppendEntries>(single.sent);
  REQUIRE(sent.size() == 3);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CHECK(sent[i].second.entries.size() == 1);
    CHECK(sent[i].second.previous_index == Index(i + 1));
  }
  single.sent.clear();
  single.receive(2, 1, accepted(3));
  sent = of_kind<AppendEntries>(single.sent);
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].second.previous_index == Index(4));
}

TEST_CASE("a full window opens again although every message of it was lost") {
  Options options = options_for(1);
  options.max_appends_in_flight = 2;
  Single single(restored_with(2, {}), options);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  for (const char* text : {"a", "b", "c"}) single.step(Propose{commands({text})});
  REQUIRE(single.core.followers()[0].in_flight == 2);
  single.sent.clear();
  single.tick();
  const auto heartbeat = of_kind<AppendEntries>(single.sent);
  REQUIRE(heartbeat.size() == 1);
  CHECK(heartbeat[0].second.previous_index == Index(3));
  single.sent.clear();
  single.receive(2, 1, AppendReply{false, Index(3), Index(1), Term(1), 0});
  const auto resent = of_kind<AppendEntries>(single.sent);
  REQUIRE(resent.size() == 1);
  CHECK(resent[0].second.previous_index == Index(1));
  CHECK(resent[0].second.entries.size() == 3);
}

TEST_CASE("a follower hears of a commit at once when nothing else is on its way to it") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(3, 1, accepted(1));
  single.sent.clear();
  single.step(Propose{commands({"a"})});
  single.persist();
  single.sent.clear();
  single.receive(3, 1, accepted(2));
  const auto news = of_kind<AppendEntries>(single.sent);
  REQUIRE(news.size() == 1);
  CHECK(news[0].first == 3);
  CHECK(news[0].second.commit == Index(2));
  CHECK(news[0].second.entries.empty());
}

TEST_CASE("news of a commit waits for its delay, and then reaches who has heard of it by nothing else") {
  Options options = options_for(1);
  options.commit_news_delay = milliseconds(10);
  Single single(restored_with(3, {}), options);
  single.become_leader();
  for (const std::uint64_t follower : {2, 3}) single.receive(follower, 1, accepted(1));
  single.step(Propose{commands({"a"})});
  single.persist();
  single.pass(milliseconds(1));
  single.sent.clear();
  single.receive(2, 1, accepted(2));
  REQUIRE(single.core.status().commit == Index(2));
  CHECK(single.sent.empty());
  CHECK(single.core.deadline() == single.now + milliseconds(10));

  SECTION("it leaves at its time, though more was committed meanwhile") {
    single.pass(milliseconds(4));
    single.receive(3, 1, accepted(2));
    CHECK(single.sent.empty());
    single.tick();
    const auto news = of_kind<AppendEntries>(single.sent);
    REQUIRE(news.size() == 2);
    for (const auto& [to, told] : news) {
      CHECK(told.commit == Index(2));
      CHECK(told.entries.empty());
    }
    CHECK(single.core.deadline() > single.now + milliseconds(10));
  }
  SECTION("entries take it along, and the next news waits anew") {
    single.receive(3, 1, accepted(2));
    single.pass(milliseconds(9));
    single.step(Propose{commands({"b"})});
    const auto told = of_kind<AppendEntries>(single.sent);
    REQUIRE(told.size() == 2);
    CHECK(told[0].second.commit == Index(2));
    CHECK(single.core.deadline() > single.now + milliseconds(1));
    single.persist();
    single.sent.clear();
    single.receive(2, 1, accepted(3));
    CHECK(single.sent.empty());
    CHECK(single.core.deadline() == single.now + milliseconds(10));
  }
}

TEST_CASE("everybody is told what every member holds, learners included") {
  Restored restored = restored_with(3, {});
  restored.membership = voters(2, 1);
  Single single(restored);
  single.become_leader();
  single.receive(2, 1, accepted(1));
  CHECK(single.core.held_by_all() == Index(0));
  single.receive(3, 1, accepted(1));
  CHECK(single.core.held_by_all() == Index(1));
  single.sent.clear();
  single.tick();
  CHECK(of_kind<AppendEntries>(single.sent)[0].second.held_by_all == Index(1));

  Single follower(restored_with(3, {1, 1}));
  AppendEntries told = append(1, 1, {}, 1);
  told.held_by_all = Index(2);  // more than this message shows to match
  follower.receive(2, 1, told);
  CHECK(follower.core.held_by_all() == Index(1));
}

TEST_CASE("backing off by conflicting terms finds the place that stepping back by one finds, and sooner") {
  Random random(7);
  std::size_t fast = 0;
  std::size_t naive = 0;
  for (int round = 0; round < 200; ++round) {
    // Two logs that are equal up to a point, as logs are: terms never fall, equal terms mean equal entries.
    const std::uint64_t same = random.below(20);
    std::vector<std::uint64_t> mine(same), theirs;
    std::uint64_t term = 1;
    for (std::uint64_t& entry : mine) entry = term += random.chance(20);
    theirs = mine;
    const auto grow = [&](std::vector<std::uint64_t>& log, std::uint64_t parity) {
      for (std::uint64_t i = random.below(30), own = 2 * (term + 1) + parity; i > 0; --i)
        log.push_back(own += 2 * random.chance(30));
    };
    grow(mine, 0);
    grow(theirs, 1);
    CAPTURE(mine, theirs);

    const std::uint64_t newest = 500;
    Single leader(restored_with(2, mine, newest));
    Single follower(restored_with(2, theirs, newest), options_for(2));
    leader.become_leader();
    follower.now = leader.now;
    leader.sent.clear();
    leader.step(PeerLost{id(2)});
    std::size_t probes = 0;
    while (leader.core.followers()[0].match < leader.core.status().last) {
      REQUIRE(++probes < 100);
      for (const Message& message : std::exchange(leader.sent, {})) follower.step(Receive{message});
      follower.persist();
      for (const Message& message : std::exchange(follower.sent, {})) leader.step(Receive{message});
    }
    fast += probes;
    naive += mine.size() - same;
    mine.push_back(leader.core.status().term.value());  // its no-op
    CHECK(stored_terms(follower) == mine);
  }
  CHECK(fast * 2 < naive);
}
