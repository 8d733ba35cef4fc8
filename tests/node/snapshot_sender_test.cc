#include "node/snapshot_sender.h"

#include <catch2/catch.hpp>
#include <deque>

#include "tests/node/fake_world.h"

namespace holdfast::node {
namespace {

const MemberId kTwo(2), kThree(3);

struct Fixture {
  static SnapshotSender::Options options() {
    SnapshotSender::Options options;
    options.piece_bytes = 10;
    options.pieces_in_flight = 2;
    options.ask_again = milliseconds(100);
    options.patience = milliseconds(1000);
    options.install_patience = milliseconds(5000);
    options.silence = milliseconds(200);
    return options;
  }
  FakeSnapshots store;
  NullLogSink logging;
  Instant now{std::chrono::seconds(10)};
  std::vector<raft::FollowerStatus> followers;
  std::deque<std::pair<MemberId, raft::InstallSnapshot>> sent;
  bool described = true;
  SnapshotSender sender{options(), store, logging,
                        [this](Index index) -> std::optional<raft::Snapshot> {
                          if (!described) return std::nullopt;
                          return raft::Snapshot{index, Term(3), {}};
                        },
                        [this](MemberId to, raft::InstallSnapshot piece) { sent.emplace_back(to, piece); }};

  Fixture() { store.copy = std::string(45, 'x'); }
  void needs(MemberId member) {
    raft::FollowerStatus follower;
    follower.id = member;
    follower.pace = raft::Pace::kNeedsSnapshot;
    follower.last_heard = now;
    followers.push_back(follower);
  }
  void run() { sender.run(now, followers, Index(90)); }
  void pass(Duration time) {
    now += time;
    for (auto& follower : followers) follower.last_heard = now;
    run();
  }
  void answer(MemberId from, std::uint64_t next_offset) {
    sender.receive(now, from, {Index(100), next_offset, false});
  }
  /// Offsets of what was sent since the last look; "?" marks a question.
  std::vector<std::string> offsets() {
    std::vector<std::string> all;
    for (const auto& [to, piece] : std::exchange(sent, {})) {
      all.push_back((piece.data.empty() ? "?" : "") + std::to_string(piece.offset));
    }
    return all;
  }
};

using Offsets = std::vector<std::string>;

TEST_CASE_METHOD(Fixture,
                 "a follower that needs an image is asked where to begin, then streamed to in a window") {
  needs(kTwo);
  run();
  CHECK(offsets() == Offsets{"?0"});
  answer(kTwo, 0);
  CHECK(offsets() == Offsets{"0", "10"});
  answer(kTwo, 10);
  CHECK(offsets() == Offsets{"20"});
  answer(kTwo, 30);
  CHECK(offsets() == Offsets{"30", "40"});
  answer(kTwo, 45);
  CHECK(offsets().empty());
  followers[0].pace = raft::Pace::kReplicate;
  run();
  CHECK_FALSE(sender.busy());
  CHECK(store.released == Index(100));
}

TEST_CASE_METHOD(Fixture, "a transfer goes on from where the follower says it stopped") {
  needs(kTwo);
  run();
  answer(kTwo, 30);
  CHECK(offsets() == Offsets{"?0", "30", "40"});
  sender.connected(now, kTwo);
  CHECK(offsets() == Offsets{"?30"});
  answer(kTwo, 20);  // its process is another one
  CHECK(offsets() == Offsets{"20", "30"});
}

TEST_CASE_METHOD(Fixture, "a lost piece is sent again once, and what is never answered is asked for") {
  needs(kTwo);
  run();
  answer(kTwo, 0);
  offsets();
  answer(kTwo, 0);
  CHECK(offsets() == Offsets{"0", "10"});
  answer(kTwo, 0);
  CHECK(offsets().empty());
  pass(milliseconds(100));
  CHECK(offsets() == Offsets{"?0"});
}

TEST_CASE_METHOD(Fixture, "several followers are served from one copy") {
  needs(kTwo);
  run();
  needs(kThree);
  run();
  CHECK(store.makes == 1);
  CHECK(offsets() == Offsets{"?0", "?0"});
  followers[0].pace = raft::Pace::kReplicate;
  run();
  CHECK_FALSE(store.released);
  followers[1].pace = raft::Pace::kReplicate;
  run();
  CHECK(store.released);
}

TEST_CASE_METHOD(Fixture, "the log is held where the image stands from the moment the copy is asked for") {
  CHECK_FALSE(sender.needed());
  store.held = true;
  needs(kTwo);
  run();
  CHECK(sender.needed() == Index(90));
  store.sync();
  CHECK(sender.needed() == Index(100));
  sender.stop();
  CHECK_FALSE(sender.needed());
  CHECK(store.released);
}

TEST_CASE_METHOD(Fixture, "one that gets no further is dropped and the log let go; it is tried again later") {
  needs(kTwo);
  run();
  answer(kTwo, 0);
  for (int i = 0; i < 10; ++i) {
    pass(milliseconds(110));
    answer(kTwo, 0);
  }
  CHECK_FALSE(sender.needed());
  CHECK(store.released);
  offsets();
  CHECK(sender.busy());
  store.released.reset();
  pass(milliseconds(1001));
  CHECK(offsets() == Offsets{"?0"});
  CHECK(store.makes == 2);
}

TEST_CASE_METHOD(Fixture, "one that has everything is given more time to install it") {
  needs(kTwo);
  run();
  answer(kTwo, 45);
  for (int i = 0; i < 30; ++i) {
    pass(milliseconds(110));
    answer(kTwo, 45);
  }
  CHECK(sender.needed());
}

TEST_CASE_METHOD(Fixture, "one that is not heard of costs nothing until it is back") {
  needs(kTwo);
  now += milliseconds(500);
  run();
  CHECK(store.makes == 0);
  CHECK_FALSE(sender.needed());
  CHECK(sender.due() < kNever);
  pass(milliseconds(1));
  CHECK(store.makes == 1);
}

TEST_CASE_METHOD(Fixture, "a refused image is not sent again at once, and the next one is a new copy") {
  needs(kTwo);
  run();
  sender.receive(now, kTwo, {Index(100), 0, true});
  CHECK(store.released);
  pass(milliseconds(100));
  CHECK(store.makes == 1);
  pass(milliseconds(1000));
  CHECK(store.makes == 2);
}

TEST_CASE_METHOD(Fixture, "answers about other images, from others, or beyond the end are ignored") {
  needs(kTwo);
  run();
  offsets();
  sender.receive(now, kTwo, {Index(99), 10, false});
  sender.receive(now, kThree, {Index(100), 10, false});
  sender.receive(now, kTwo, {Index(100), 46, false});
  CHECK(offsets().empty());
}

TEST_CASE_METHOD(Fixture,
                 "a copy that cannot be made, or that the log does not reach, is tried again later") {
  store.copy.clear();
  needs(kTwo);
  run();
  run();
  run();
  CHECK(store.makes == 1);
  CHECK_FALSE(sender.needed());
  store.copy = std::string(45, 'x');
  described = false;
  pass(milliseconds(250));
  CHECK(store.makes == 2);
  CHECK(store.released);
  CHECK(sent.empty());
}

}  // namespace
}  // namespace holdfast::node
