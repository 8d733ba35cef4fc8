#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/limits.h"
#include "net/frame_assembler.h"
#include "peer/codec.h"
#include "tests/fuzz/targets.h"

namespace holdfast::fuzz {

namespace {

template <typename Message>
std::string bytes_of(const Message& message) {
  const auto words = peer::encode(message);
  const auto bytes = words.asBytes();
  return std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
}

/// What is understood says the same when it is sent on.
void check_round_trip(const peer::Decoded& decoded) {
  const auto again =
      std::visit([](const auto& message) { return peer::decode(peer::encode(message)); }, decoded);
  INVARIANT(again, "what was decoded encodes to something that can be decoded");
  INVARIANT(*again == decoded, "a message keeps its meaning");
}

raft::Message append(std::size_t entries) {
  raft::AppendEntries body;
  body.previous_index = Index(7);
  body.previous_term = Term(2);
  body.commit = Index(6);
  body.round = 3;
  for (std::size_t i = 1; i <= entries; ++i) {
    raft::Entry entry;
    entry.term = Term(2);
    entry.index = Index(7 + i);
    entry.payload = Blob(std::string(i * 5, 'x'));
    body.entries.push_back(std::move(entry));
  }
  return {MemberId(1), MemberId(2), Term(2), std::move(body)};
}

}  // namespace

void peer_frame(std::string_view bytes) {
  net::FrameAssembler assembler(limits::kMaxPeerFrameBytes);
  while (!bytes.empty()) {
    const auto space = assembler.space();
    const std::size_t taken = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), taken);
    assembler.added(taken);
    bytes.remove_prefix(taken);
    while (assembler.ready()) {
      const auto frame = assembler.next();
      if (!frame || !*frame) return;
      if (const auto decoded = peer::decode(**frame)) check_round_trip(*decoded);
    }
  }
}

std::vector<std::string> peer_frame_seeds() {
  const peer::Hello hello{peer::kProtocolVersion, ClusterId(7), MemberId(1), MemberId(2), "n1", "h:1", "id"};
  const auto message = [](raft::Body body) {
    return bytes_of(raft::Message{MemberId(1), MemberId(2), Term(3), std::move(body)});
  };
  return {bytes_of(hello),
          bytes_of(peer::Refusal{peer::RefusalReason::kWrongMember, "not you"}),
          message(raft::RequestVote{true, false, Index(5), Term(2)}),
          message(raft::VoteReply{false, true}),
          message(raft::AppendReply{true, Index(5), Index(4), Term(1), 9}),
          message(raft::TimeoutNow{}),
          bytes_of(append(0)),
          bytes_of(append(3)),
          bytes_of(hello) + bytes_of(append(1)) + bytes_of(append(2))};
}

}  // namespace holdfast::fuzz
