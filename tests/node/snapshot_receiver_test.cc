#include "node/snapshot_receiver.h"

#include <catch2/catch.hpp>

#include "tests/node/fake_world.h"

namespace holdfast::node {
namespace {

const MemberId kLeader(1), kNextLeader(3);

struct Fixture {
  FakeSnapshots store;
  NullLogSink logging;
  std::vector<raft::InstallReply> replies;
  std::vector<MemberId> replied_to;
  std::vector<raft::Snapshot> whole;
  SnapshotReceiver receiver{store, logging,
                            [this](MemberId to, raft::InstallReply reply) {
                              replied_to.push_back(to);
                              replies.push_back(reply);
                            },
                            [this](const raft::Snapshot& snapshot) { whole.push_back(snapshot); }};
  std::string file = "0123456789";

  raft::InstallSnapshot piece(std::uint64_t offset, std::size_t bytes, std::uint64_t index = 50) const {
    return {{Index(index), Term(2), {}}, "digest", file.size(), offset, Blob(file.substr(offset, bytes))};
  }
  std::uint64_t told() const { return replies.back().next_offset; }
};

TEST_CASE_METHOD(Fixture, "pieces in order make the file, and each is answered when it is written") {
  receiver.receive(kLeader, piece(0, 0));
  CHECK(told() == 0);
  store.held = true;
  receiver.receive(kLeader, piece(0, 4));
  receiver.receive(kLeader, piece(4, 4));
  CHECK(replies.size() == 1);
  store.sync();
  CHECK(replies.size() == 3);
  CHECK(told() == 8);
  CHECK(whole.empty());
  receiver.receive(kLeader, piece(8, 2));
  store.sync();
  CHECK(told() == 10);
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].index == Index(50));
  CHECK(store.received == file);
}

TEST_CASE_METHOD(Fixture, "a piece that is missing or came twice makes it say what it wants") {
  receiver.receive(kLeader, piece(0, 0));
  receiver.receive(kLeader, piece(0, 4));
  receiver.receive(kLeader, piece(8, 2));
  CHECK(told() == 4);
  receiver.receive(kLeader, piece(0, 4));
  CHECK(told() == 4);
  CHECK(store.received == "0123");
}

TEST_CASE_METHOD(Fixture, "what the store still has of the same file is not wanted again") {
  store.receiving = {Index(50), 10, "digest"};
  store.received = "01234";
  receiver.receive(kNextLeader, piece(0, 0));
  CHECK(told() == 5);
  CHECK(replied_to.back() == kNextLeader);
}

TEST_CASE_METHOD(Fixture, "an older image that comes late does not disturb a newer one") {
  receiver.receive(kLeader, piece(0, 0));
  receiver.receive(kLeader, piece(0, 4));
  receiver.receive(kLeader, piece(0, 4, 40));
  CHECK(store.receiving.index == Index(50));
  receiver.receive(kLeader, piece(0, 0, 60));
  CHECK(store.receiving.index == Index(60));
  CHECK(told() == 0);
  CHECK(replies.back().index == Index(60));
}

TEST_CASE_METHOD(Fixture, "another leader's image takes over, also if it is older") {
  receiver.receive(kLeader, piece(0, 0));
  receiver.receive(kNextLeader, piece(0, 0, 40));
  CHECK(store.receiving.index == Index(40));
}

TEST_CASE_METHOD(Fixture, "while it installs it answers that it has everything, and begins nothing else") {
  receiver.receive(kLeader, piece(0, 0));
  receiver.receive(kLeader, piece(0, 10));
  REQUIRE(whole.size() == 1);
  receiver.receive(kLeader, piece(4, 4));
  CHECK(told() == 10);
  receiver.receive(kLeader, piece(0, 0, 70));
  CHECK(store.receiving.index == Index(50));
  receiver.given_up(true);
  CHECK(replies.back().refused);
  receiver.receive(kLeader, piece(0, 0, 70));
  CHECK(store.receiving.index == Index(70));
}

TEST_CASE_METHOD(Fixture, "a full disk refuses the image") {
  receiver.receive(kLeader, piece(0, 0));
  store.full = true;
  receiver.receive(kLeader, piece(0, 4));
  CHECK(replies.back().refused);
}

TEST_CASE_METHOD(Fixture, "what the store has not written yet is bounded; the rest is dropped") {
  file = std::string(4 * SnapshotReceiver::kMaxBytesWaiting, 'x');
  receiver.receive(kLeader, piece(0, 0));
  store.held = true;
  std::uint64_t offset = 0;
  for (int i = 0; i < 100; ++i, offset += 1 << 20)
    receiver.receive(kLeader, piece(std::min<std::uint64_t>(offset, file.size()), 1 << 20));
  CHECK(store.waiting.size() == SnapshotReceiver::kMaxBytesWaiting >> 20);
}

}  // namespace
}  // namespace holdfast::node
