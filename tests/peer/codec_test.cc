#include "peer/codec.h"

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <schema/peer.capnp.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "base/limits.h"
#include "base/random.h"
#include "net/frame_header.h"

namespace holdfast::peer {
namespace {

raft::Message message_of(raft::Body body) {
  return raft::Message{MemberId(0xfedcba9876543210), MemberId(2), Term(77), std::move(body)};
}

raft::Entry entry_at(std::uint64_t index, std::string payload,
                     raft::EntryKind kind = raft::EntryKind::kCommand) {
  return raft::Entry{Term(index / 2), Index(index), kind, Blob(std::move(payload))};
}

raft::Membership joint_membership() {
  return {{{MemberId(1), "n1", "10.0.0.1:2380", std::string(32, 'a')}, {MemberId(2), "n2", "10.0.0.2:2380"}},
          {{MemberId(3), "third", "host:1", "1234567"}},
          {{MemberId(~0ull), "", "", ""}}};
}

raft::Entry membership_at(std::uint64_t index) {
  raft::Entry entry = entry_at(index, "", raft::EntryKind::kMembership);
  entry.membership = std::make_shared<const raft::Membership>(joint_membership());
  return entry;
}

std::vector<raft::Message> one_of_each() {
  raft::AppendEntries append{Index(10), Term(5), Index(9), 33, Index(4), {}};
  std::vector<raft::Message> all{
      message_of(raft::RequestVote{true, false, Index(11), Term(3)}),
      message_of(raft::RequestVote{false, true, Index(1), Term(1)}),
      message_of(raft::VoteReply{true, false}),
      message_of(raft::VoteReply{false, true}),
      message_of(raft::VoteReply{false, true, std::string(32, 'd')}),
      message_of(append),
      message_of(raft::AppendReply{true, Index(8), Index(7), Term(6), 5}),
      message_of(raft::AppendReply{false, Index(~0ull), {}, {}, ~0ull}),
      message_of(raft::TimeoutNow{}),
      message_of(raft::RequestVote{false, false, Index(1), Term(1), std::string(32, 'd')}),
      message_of(
          raft::InstallSnapshot{{Index(9), Term(4), joint_membership()}, "digest", 100, 50, Blob("bytes")}),
      message_of(raft::InstallSnapshot{}),
      message_of(raft::InstallReply{Index(9), 55, true}),
  };
  append.entries = {entry_at(11, "", raft::EntryKind::kNoop),
                    entry_at(12, "a"),
                    entry_at(13, "12345678"),
                    entry_at(14, std::string(100'000, 'x')),
                    entry_at(15, std::string("\0\xff", 2)),
                    membership_at(16)};
  all.push_back(message_of(append));
  append.entries = {entry_at(11, std::string(limits::kMaxEntryBytes, 'y'))};
  all.push_back(message_of(append));
  return all;
}

TEST_CASE("every message comes back from its frame as it went in") {
  for (const auto& message : one_of_each()) {
    const Frame frame = encode(message);
    const auto decoded = decode(frame);
    REQUIRE(decoded);
    REQUIRE(std::holds_alternative<raft::Message>(*decoded));
    CHECK(std::get<raft::Message>(*decoded) == message);
  }
}

TEST_CASE("a frame is one segment whose header tells its size") {
  for (const auto& message : one_of_each()) {
    const Frame frame = encode(message);
    const auto bytes = frame.asBytes();
    const auto header = net::read_frame_header(std::as_bytes(std::span(bytes.begin(), bytes.size())),
                                               limits::kMaxPeerFrameBytes);
    REQUIRE(header);
    REQUIRE(*header);
    CHECK((*header)->segments == 1);
    CHECK((*header)->frame_bytes == bytes.size());
  }
}

TEST_CASE("the largest append that raft may send fits a peer's frame") {
  raft::AppendEntries append{Index(10), Term(5), Index(9), 33, Index(4), {}};
  append.entries = {entry_at(11, std::string(limits::kMaxAppendBytes, 'x')),
                    entry_at(12, std::string(limits::kMaxEntryBytes, 'y'))};
  CHECK(encode(message_of(append)).asBytes().size() < limits::kMaxPeerFrameBytes);
}

TEST_CASE("a handshake comes back as it went in") {
  const Hello hello{kProtocolVersion, ClusterId(1),        MemberId(2), MemberId(3), "n1",
                    "10.0.0.1:2379",  std::string(32, 'd')};
  auto decoded = decode(encode(hello));
  REQUIRE(decoded);
  CHECK(std::get<Hello>(*decoded) == hello);

  const Refusal refusal{RefusalReason::kWrongMember, "not the one you want"};
  decoded = decode(encode(refusal));
  REQUIRE(decoded);
  CHECK(std::get<Refusal>(*decoded) == refusal);
}

TEST_CASE("a sign of life comes back as it went in, and is four words") {
  const Frame frame = encode(Alive{});
  CHECK(frame.size() == 4);
  const auto decoded = decode(frame);
  REQUIRE(decoded);
  CHECK(std::holds_alternative<Alive>(*decoded));
}

TEST_CASE("a stranger's text cannot break a line of logging or fill it") {
  const Hello hello{kProtocolVersion, {}, {}, {}, "a\nevent=ready\x1b[31m", std::string(5000, 'x')};
  const auto decoded = decode(encode(hello));
  REQUIRE(decoded);
  CHECK(std::get<Hello>(*decoded).name == "a?event=ready?[31m");
  CHECK(std::get<Hello>(*decoded).client_endpoint.size() == limits::kMaxAddressBytes);
}

TEST_CASE("entries whose indexes do not fit 64 bits are refused") {
  raft::AppendEntries append{Index(10), Term(5), {}, 0, {}, {entry_at(11, "a"), entry_at(12, "b")}};
  Frame frame = encode(message_of(append));
  // The only word of the frame that holds 10 is previousIndex.
  int changed = 0;
  for (auto& word : frame) {
    const std::uint64_t ten = 10;
    const std::uint64_t last = ~0ull - 1;
    if (std::memcmp(&word, &ten, sizeof(ten)) == 0) {
      std::memcpy(static_cast<void*>(&word), &last, sizeof(last));
      ++changed;
    }
  }
  REQUIRE(changed == 1);
  const auto decoded = decode(frame);
  REQUIRE(!decoded);
  CHECK(decoded.error().code == Errc::kInvalidArgument);
}

TEST_CASE("a few bytes that stand for millions of entries are refused before they take memory") {
  capnp::MallocMessageBuilder builder;
  auto append = builder.initRoot<schema::PeerFrame>().initMessage().initAppendEntries();
  capnp::AnyStruct::Builder(kj::mv(append)).getPointerSection()[0].initAsListOfAnyStruct(0, 0, 2'000'000);
  const Frame frame = capnp::messageToFlatArray(builder);
  REQUIRE(frame.asBytes().size() < 200);
  const auto refused = decode(frame);
  REQUIRE(!refused);
  CHECK(refused.error().message.find("2000000 entries") != std::string::npos);
}

TEST_CASE("an entry says that it is a membership exactly if it holds one") {
  for (const bool holds_one : {false, true}) {
    capnp::MallocMessageBuilder builder;
    auto entry = builder.initRoot<schema::PeerFrame>().initMessage().initAppendEntries().initEntries(1)[0];
    const auto kind = holds_one ? raft::EntryKind::kCommand : raft::EntryKind::kMembership;
    entry.setKind(static_cast<std::uint8_t>(kind));
    if (holds_one) entry.initMembership();
    const auto refused = decode(capnp::messageToFlatArray(builder));
    REQUIRE(!refused);
    CHECK(refused.error().message.find("disagree") != std::string::npos);
  }
}

TEST_CASE("frames with flipped bits are decoded or refused, and never crash") {
  Random random(20240607);
  const auto messages = one_of_each();
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Frame frame = encode(messages[random.below(messages.size() - 2)]);
    auto bytes = frame.asBytes();
    for (std::uint64_t flips = random.between(1, 8); flips > 0; --flips) {
      // Behind the header, which the stream judges; mostly in the first words, where the pointers are.
      const std::size_t end = random.chance(80) ? std::min<std::size_t>(bytes.size(), 160) : bytes.size();
      bytes[random.between(8, end - 1)] ^= static_cast<kj::byte>(1u << random.below(8));
    }
    refused += decode(frame) ? 0 : 1;
  }
  CHECK(refused > 100);
}

TEST_CASE("random words are refused or decoded, and never crash") {
  Random random(99);
  for (int round = 0; round < 3000; ++round) {
    auto frame = kj::heapArray<capnp::word>(random.between(2, 40));
    for (auto& word : frame) {
      const std::uint64_t number = random.next() >> random.below(64);
      std::memcpy(static_cast<void*>(&word), &number, sizeof(number));
    }
    const std::uint32_t header[2] = {0, static_cast<std::uint32_t>(frame.size() - 1)};
    std::memcpy(static_cast<void*>(frame.begin()), header, sizeof(header));
    static_cast<void>(decode(frame));
  }
}

TEST_CASE("a frame cut short behind its header is refused") {
  const Frame whole = encode(one_of_each().back());
  for (std::size_t words : {1, 2, 3, 5, 9}) {
    auto cut = kj::heapArray<capnp::word>(words);
    std::memcpy(static_cast<void*>(cut.begin()), whole.begin(), words * sizeof(capnp::word));
    CHECK(!decode(cut));
  }
}

}  // namespace
}  // namespace holdfast::peer
