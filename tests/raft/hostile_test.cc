#include <catch2/catch.hpp>
#include <limits>

#include "base/random.h"
#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

/// A number that is small, near a limit, or anything.
std::uint64_t some_number(Random& random) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t edges[] = {0, 1, kMax, kMax - 1, kMax / 2, std::uint64_t{1} << 62};
  if (random.chance(90)) return random.below(12);
  return random.chance(50) ? edges[random.below(6)] : random.next();
}

Membership some_membership(Random& random) {
  Membership membership = voters(random.below(5), random.below(3));
  if (random.chance(30)) membership.outgoing_voters = voters(random.below(9)).voters;
  if (random.chance(20) && !membership.voters.empty()) membership.learners.push_back(membership.voters[0]);
  return membership;
}

std::vector<Entry> some_entries(Random& random, std::uint64_t previous) {
  std::vector<Entry> entries;
  for (std::uint64_t i = random.below(5); i > 0; --i) {
    const std::uint64_t index = random.chance(90) ? previous + entries.size() + 1 : some_number(random);
    entries.push_back({Term(some_number(random)), Index(index), EntryKind::kCommand, Blob("evil")});
    if (random.chance(80)) continue;
    entries.back().kind = EntryKind::kMembership;
    if (random.chance(80)) entries.back().payload = Blob();
    if (random.chance(80))
      entries.back().membership = std::make_shared<const Membership>(some_membership(random));
  }
  return entries;
}

Body some_body(Random& random) {
  switch (random.below(7)) {
    case 0:
      return RequestVote{random.chance(50), random.chance(50), Index(some_number(random)),
                         Term(some_number(random)), random.chance(50) ? data_id_of(1) : ""};
    case 5:
      return InstallSnapshot{{Index(some_number(random)), Term(some_number(random)), some_membership(random)},
                             "digest",
                             some_number(random),
                             some_number(random),
                             Blob("evil")};
    case 6:
      return InstallReply{Index(some_number(random)), some_number(random), random.chance(50)};
    case 1:
      return VoteReply{random.chance(50), random.chance(50)};
    case 2: {
      const std::uint64_t previous = some_number(random);
      return AppendEntries{Index(previous),     Term(some_number(random)),  Index(some_number(random)),
                           some_number(random), Index(some_number(random)), some_entries(random, previous)};
    }
    case 3:
      return AppendReply{random.chance(50), Index(some_number(random)), Index(some_number(random)),
                         Term(some_number(random)), some_number(random)};
    default:
      return TimeoutNow();
  }
}

Input some_input(Random& random) {
  const auto member = [&] { return MemberId(random.below(6)); };
  switch (random.below(15)) {
    case 12:
      return PeerConnected{member(), random.chance(50) ? data_id_of(random.below(6)) : "other"};
    case 13:
      return ChangeMembership{some_membership(random)};
    case 14:
      return BeginInstall{{Index(random.below(40)), Term(random.below(4)), voters(3)}};
    case 0:
      return Tick{};
    case 1:
      return Propose{commands({"a", "b"})};
    case 2:
      return ConfirmLeadership{some_number(random)};
    case 3:
      return TransferLeadership{member()};
    case 4:
      return Compact{Index(some_number(random))};
    case 5:
      return PeerLost{member()};
    default:
      return Receive{
          {member(), random.chance(95) ? id(1) : member(), Term(some_number(random)), some_body(random)}};
  }
}

}  // namespace

TEST_CASE("no message, however wrong, breaks an invariant, uncommits or repeats an entry") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Single single(restored_with(random.between(1, 4), {1, 1, 2}, 2));
    if (random.chance(50) && single.core.membership().voters.size() > 1) single.become_leader();
    for (int i = 0; i < 300; ++i) {
      single.pass(milliseconds(random.below(100)));
      const Status before = single.core.status();
      const Output output = single.step(some_input(random));
      if (output.may_install) {
        Input outcome = InstallAbandoned{};
        if (random.chance(50)) outcome = Installed{*single.core.installing()};
        single.step(std::move(outcome));
      }
      if (random.chance(50)) single.persist();
      const Status after = single.core.status();
      REQUIRE(after.term >= before.term);
      REQUIRE(after.commit >= before.commit);
      REQUIRE(after.commit <= after.last);
      REQUIRE(after.durable <= after.last);
    }
    for (std::size_t i = 0; i < single.committed.size(); ++i)
      REQUIRE(single.committed[i].index > (i > 0 ? single.committed[i - 1].index : Index()));
  }
}

TEST_CASE("an acknowledgement of what was never sent commits nothing") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(2, 1, AppendReply{true, Index(50), Index(), Term(), 0});
  single.receive(3, 1, AppendReply{true, Index(50), Index(), Term(), 0});
  CHECK(single.core.status().commit == Index(0));
  CHECK(single.core.followers()[0].match == Index(0));
}

TEST_CASE("an echo of a round that never was confirms nothing") {
  Single single(restored_with(3, {}));
  single.become_leader();
  single.receive(2, 1, AppendReply{true, Index(1), Index(), Term(), 0});
  single.receive(2, 1, AppendReply{true, Index(1), Index(), Term(), 900});
  CHECK(single.step(ConfirmLeadership{1}).confirmed.empty());
}

TEST_CASE("answers of strangers, oneself and messages for another are not heard") {
  Single single(restored_with(3, {}));
  single.receive(9, 5, AppendReply());
  single.receive(9, 5, VoteReply());
  single.receive(9, 5, InstallReply());
  single.receive(0, 5, AppendEntries());
  single.receive(1, 5, AppendEntries());
  single.step(Receive{{id(2), id(3), Term(5), AppendEntries()}});
  CHECK(single.core.status().term == Term(0));
  CHECK(single.sent.empty());
}

TEST_CASE("a message that contradicts what is committed changes nothing") {
  Restored restored = restored_with(3, {1, 1, 1});
  restored.applied = Index(2);
  Single single(restored);
  AppendEntries contradiction;
  contradiction.entries = entries_of({2, 2, 2});
  single.receive(2, 2, contradiction);
  single.persist();
  CHECK(single.stored == entries_of({1, 1, 1}));
  CHECK(of_kind<AppendReply>(single.sent).empty());

  SECTION("neither does one that reaches below what is compacted") {
    single.step(Compact{Index(2)});
    single.receive(2, 2, contradiction);
    single.persist();
    CHECK(single.stored == entries_of({1, 1, 1}));
  }
}

TEST_CASE("two leaders in one term are one too many, and the second is not followed") {
  Single follower(restored_with(3, {}));
  follower.receive(2, 1, AppendEntries());
  follower.receive(3, 1, AppendEntries());
  CHECK(follower.core.status().leader == id(2));

  Single leader(restored_with(3, {}));
  leader.become_leader();
  leader.receive(2, 1, AppendEntries());
  CHECK(leader.core.status().role == Role::kLeader);
}
