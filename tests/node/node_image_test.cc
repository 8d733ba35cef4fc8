#include <catch2/catch.hpp>

#include "state/row_codec.h"
#include "tests/node/one_node.h"
#include "tests/state/rows_of_image.h"

/// What a whole node does with an image from its leader, and with a disk that fills up.
namespace holdfast::node {
namespace {

constexpr Term kTerm{5};
const MemberId kSelf(1), kLeader(2);

raft::Membership three() {
  raft::Membership membership;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    std::string name = "n" + std::to_string(i);
    membership.voters.push_back({MemberId(i), name, name + ":2380", "data-" + std::to_string(i)});
  }
  return membership;
}

struct Follower : OneNode {
  Follower() {
    node.start();
    node.peer_connected(kLeader, "n2:2379", "data-2");
  }
  static raft::Restored restored() {
    raft::Restored restored;
    restored.membership = three();
    return restored;
  }
  void receive(raft::Body body) {
    node.receive({kLeader, kSelf, kTerm, std::move(body)});
    settle();
  }
  /// The image that holds key "/a", a piece at a time.
  void receive_image(std::uint64_t index = 50) {
    raft::InstallSnapshot piece{{Index(index), Term(4), three()}, "digest", 6, 0, Blob()};
    receive(piece);
    piece.data = Blob("abc");
    receive(piece);
    piece.offset = 3;
    receive(piece);
  }
  /// Fills the loader as the store's thread would, with the rows of a state at that index.
  void load(std::uint64_t index) {
    state::Machine machine;
    machine.apply(Index(1), *state::encode({{}, ClusterTime(0), config::Put{"/a", Blob("v"), {}, {}}}));
    for (std::uint64_t i = 2; i <= index; ++i) machine.skip(Index(i));
    for (const RowChange& row : state::rows_of_image(machine)) {
      REQUIRE(snapshots.loader->take(row.table, row.cells));
    }
    REQUIRE(snapshots.loader->finish());
  }
  template <typename Body>
  std::vector<Body> sent() {
    std::vector<Body> found;
    for (const raft::Message& message : transport.sent) {
      if (const auto* body = std::get_if<Body>(&message.body)) found.push_back(*body);
    }
    return found;
  }
  raft::AppendEntries entries(std::uint64_t previous, std::uint64_t previous_term, std::uint64_t commit) {
    raft::AppendEntries append{Index(previous), Term(previous_term), Index(commit), 0, Index(), {}};
    append.entries.push_back({kTerm, Index(previous + 1), raft::EntryKind::kNoop, Blob(), nullptr});
    return append;
  }

  Node node{options(), ports(), restored(), std::make_unique<state::Machine>()};
};

TEST_CASE_METHOD(Follower, "an image takes the state's place, and the log goes on behind it") {
  receive_image();
  REQUIRE(snapshots.installed);
  CHECK(snapshots.installed->index == Index(50));
  CHECK(node.machine().applied() == Index());
  CHECK(sent<raft::InstallReply>().back().next_offset == 6);
  load(50);
  snapshots.install_done({});
  settle();
  CHECK(node.machine().applied() == Index(50));
  CHECK(node.machine().config().find("/a"));
  REQUIRE_FALSE(sent<raft::AppendReply>().empty());
  CHECK(sent<raft::AppendReply>().back().accepted);
  CHECK(sent<raft::AppendReply>().back().index == Index(50));

  receive(entries(50, 4, 51));
  CHECK(node.machine().applied() == Index(51));
}

TEST_CASE_METHOD(Follower, "a damaged image is refused, and the state is as before") {
  receive_image();
  snapshots.install_done(fail(Errc::kCorrupt, "another digest"));
  settle();
  CHECK(sent<raft::InstallReply>().back().refused);
  CHECK(node.machine().applied() == Index());
  receive(entries(0, 0, 1));
  CHECK(node.machine().applied() == Index(1));
}

TEST_CASE_METHOD(Follower, "an image waits for the one of this member's own that is under way") {
  receive(entries(0, 0, 1));
  loop.pass(std::chrono::seconds(6));
  node.on_alarm();
  loop.run();
  REQUIRE(images.commits.size() == 1);
  receive_image();
  CHECK_FALSE(snapshots.installed);
  images.sync();
  settle();
  CHECK(snapshots.installed);
}

TEST_CASE_METHOD(Follower, "the loop is told of each image's load, and once that there is none") {
  const auto pass_an_interval = [this] {
    loop.pass(std::chrono::seconds(6));
    node.on_alarm();
    settle();
    images.sync();
    settle();
  };
  pass_an_interval();
  CHECK(loop.loads.empty());  // nothing was done yet
  receive(entries(0, 0, 1));
  pass_an_interval();
  REQUIRE(images.commits.size() == 1);
  CHECK(loop.loads == std::vector<Load>{Load::kLight});
  pass_an_interval();
  pass_an_interval();
  CHECK(loop.loads == std::vector<Load>{Load::kLight, Load::kNone});
}

TEST_CASE_METHOD(Follower,
                 "rows of the configuration lag longer when images are due by what is written than by time") {
  // More than are brought up by name. A change for each is enough to bring up all, but not under load.
  constexpr std::uint64_t kKeys = 2000;
  std::uint64_t last = 0;
  const auto put_each = [&](const std::string& value) {
    raft::AppendEntries append{Index(last), last > 0 ? kTerm : Term(), Index(last + kKeys), 0, Index(), {}};
    for (std::uint64_t i = 1; i <= kKeys; ++i) {
      append.entries.push_back(
          {kTerm, Index(++last), raft::EntryKind::kCommand,
           *state::encode({{}, ClusterTime(0), config::Put{"/k" + std::to_string(i), Blob(value), {}, {}}}),
           nullptr});
    }
    receive(append);
  };
  const auto pass_an_interval = [this] {
    loop.pass(std::chrono::seconds(6));
    node.on_alarm();
    settle();
  };
  const auto rows_of_last_image = [this] {
    images.sync();
    settle();
    return std::count_if(images.open_rows.begin(), images.open_rows.end(),
                         [](const RowChange& row) { return row.table == state::kConfigTable; });
  };
  put_each("v");
  pass_an_interval();
  REQUIRE(rows_of_last_image() == kKeys);
  images.open_rows.clear();
  put_each("v");
  REQUIRE(images.commits.size() == 1);
  SECTION("by time") {
    pass_an_interval();
    CHECK(images.commits.size() == 2);
    CHECK(rows_of_last_image() == kKeys);
  }
  SECTION("by what is written") {
    put_each(std::string(16 * 1024, 'v'));
    node.on_alarm();
    settle();
    CHECK(images.commits.size() == 2);
    CHECK(rows_of_last_image() == 0);
    pass_an_interval();
    CHECK(images.commits.size() == 3);
    CHECK(rows_of_last_image() == kKeys);
  }
}

TEST_CASE_METHOD(Follower, "heartbeats are answered while an image is being installed") {
  receive_image();
  transport.sent.clear();
  receive(raft::AppendEntries{Index(), Term(), Index(), 7, Index(), {}});
  REQUIRE(sent<raft::AppendReply>().size() == 1);
  CHECK(sent<raft::AppendReply>()[0].round == 7);
}

TEST_CASE_METHOD(Follower,
                 "short of space a follower takes neither entries nor images, until there is more") {
  node.space_changed({true, 1 << 20, 64 << 20});
  receive(entries(0, 0, 1));
  CHECK(log.written.empty());
  receive_image();
  CHECK(snapshots.received.empty());
  receive(raft::AppendEntries{Index(), Term(), Index(), 7, Index(), {}});
  CHECK(sent<raft::AppendReply>().back().round == 7);
  node.space_changed({false, 1 << 30, 64 << 20});
  receive(entries(0, 0, 1));
  CHECK(log.written.size() == 1);
}

}  // namespace
}  // namespace holdfast::node
