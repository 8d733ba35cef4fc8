#include "schema/membership.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>
#include <kj/exception.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/limits.h"

namespace holdfast::schema {
namespace {

void fill_members(capnp::List<Member>::Builder out, const std::vector<raft::Member>& members) {
  unsigned at = 0;
  for (const raft::Member& member : members) {
    auto slot = out[at++];
    slot.setId(member.id.value());
    slot.setName(member.name.c_str());
    slot.setPeerAddress(member.peer_address.c_str());
    if (!member.data_id.empty()) slot.setDataId(member.data_id.c_str());
  }
}

std::string text_of(capnp::Text::Reader text, std::size_t max_bytes) {
  return std::string(text.begin(), std::min<std::size_t>(text.size(), max_bytes));
}

std::vector<raft::Member> read_members(capnp::List<Member>::Reader in) {
  std::vector<raft::Member> members;
  const unsigned count = std::min<unsigned>(in.size(), raft::kMaxVoters + raft::kMaxLearners);
  for (unsigned at = 0; at < count; ++at) {
    const auto member = in[at];
    members.push_back({MemberId(member.getId()), text_of(member.getName(), limits::kMaxNameBytes),
                       text_of(member.getPeerAddress(), limits::kMaxAddressBytes),
                       text_of(member.getDataId(), limits::kMaxNameBytes)});
  }
  return members;
}

template <typename Struct>
constexpr std::size_t words_of() {
  return Struct::_capnpPrivate::dataWordSize + Struct::_capnpPrivate::pointerCount;
}

/// With its terminating zero.
std::size_t words_of_text(const std::string& text) { return text.size() / sizeof(capnp::word) + 1; }

std::size_t words_of_members(const std::vector<raft::Member>& members) {
  std::size_t words = 1;  // the list's tag
  for (const raft::Member& member : members) {
    words += words_of<Member>() + words_of_text(member.name) + words_of_text(member.peer_address);
    if (!member.data_id.empty()) words += words_of_text(member.data_id);
  }
  return words;
}

}  // namespace

std::size_t words_of_membership(const raft::Membership& membership) {
  std::size_t words = words_of<Membership>() + words_of_members(membership.voters);
  if (membership.is_joint()) words += words_of_members(membership.outgoing_voters);
  if (!membership.learners.empty()) words += words_of_members(membership.learners);
  return words;
}

void fill(Membership::Builder out, const raft::Membership& membership) {
  fill_members(out.initVoters(static_cast<unsigned>(membership.voters.size())), membership.voters);
  if (membership.is_joint()) {
    fill_members(out.initOutgoingVoters(static_cast<unsigned>(membership.outgoing_voters.size())),
                 membership.outgoing_voters);
  }
  if (!membership.learners.empty())
    fill_members(out.initLearners(static_cast<unsigned>(membership.learners.size())), membership.learners);
}

raft::Membership read(Membership::Reader in) {
  return {read_members(in.getVoters()), read_members(in.getOutgoingVoters()), read_members(in.getLearners())};
}

std::string encode(const raft::Membership& membership) {
  capnp::MallocMessageBuilder builder;
  fill(builder.initRoot<Membership>(), membership);
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asChars();
  return std::string(bytes.begin(), bytes.size());
}

Result<raft::Membership> decode_membership(std::string_view bytes) {
  Result<raft::Membership> result =
      fail(Errc::kCorrupt, "a membership of " + std::to_string(bytes.size()) + " bytes is not whole");
  if (bytes.size() < sizeof(capnp::word) || bytes.size() % sizeof(capnp::word) != 0) return result;
  // The library trusts the number of segments, also when adding one to it overflows.
  std::uint32_t last_segment = 0;
  std::memcpy(&last_segment, bytes.data(), sizeof last_segment);
  if (last_segment >= limits::kMaxFrameSegments) return result;
  // Copied so that it is aligned whatever it came from.
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(static_cast<void*>(words.begin()), bytes.data(), bytes.size());
  auto exception = kj::runCatchingExceptions([&] {
    capnp::ReaderOptions options;
    options.nestingLimit = limits::kMaxNesting;
    capnp::FlatArrayMessageReader reader(words, options);
    result = read(reader.getRoot<Membership>());
  });
  KJ_IF_MAYBE (failure, exception) {
    return fail(Errc::kCorrupt, std::string("a membership is damaged: ") + failure->getDescription().cStr());
  }
  return result;
}

}  // namespace holdfast::schema
