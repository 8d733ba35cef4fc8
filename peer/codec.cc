#include "peer/codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <schema/peer.capnp.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "schema/membership.h"

namespace holdfast::peer {
namespace {

constexpr std::size_t kMaxExplanationBytes = 512;

// Entries in a frame. A few bytes can stand for a list of millions of structs without a word in them, and
// each would take memory here; ours have words.
constexpr std::size_t kMaxEntries =
    limits::kMaxPeerFrameBytes / sizeof(capnp::word) /
    (schema::LogEntry::_capnpPrivate::dataWordSize + schema::LogEntry::_capnpPrivate::pointerCount);

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

template <typename Struct>
constexpr std::size_t words_of() {
  return Struct::_capnpPrivate::dataWordSize + Struct::_capnpPrivate::pointerCount;
}

std::size_t words_of_bytes(std::string_view bytes) {
  return (bytes.size() + sizeof(capnp::word) - 1) / sizeof(capnp::word);
}

std::size_t words_of_entries(const std::vector<raft::Entry>& entries) {
  if (entries.empty()) return 0;
  std::size_t words = 1;  // the list's tag
  for (const auto& entry : entries) {
    words += words_of<schema::LogEntry>() + words_of_bytes(entry.payload.view());
    if (entry.membership) words += schema::words_of_membership(*entry.membership);
  }
  return words;
}

/// Text with its terminating zero; not sent at all if empty.
std::size_t words_of_id(const std::string& id) {
  return id.empty() ? 0 : id.size() / sizeof(capnp::word) + 1;
}

std::size_t body_words(const raft::Body& body) {
  return std::visit(Overloaded{[](const raft::RequestVote& vote) {
                                 const std::size_t id = vote.recorded_data_id.size();
                                 return words_of<schema::RequestVote>() +
                                        (id > 0 ? id / sizeof(capnp::word) + 1 : 0);
                               },
                               [](const raft::VoteReply& reply) {
                                 return words_of<schema::VoteReply>() + words_of_id(reply.data_id);
                               },
                               [](const raft::AppendReply&) { return words_of<schema::AppendReply>(); },
                               [](const raft::TimeoutNow&) { return std::size_t{0}; },
                               [](const raft::AppendEntries& append) {
                                 return words_of<schema::AppendEntries>() + words_of_entries(append.entries);
                               },
                               [](const raft::InstallSnapshot& install) {
                                 return words_of<schema::InstallSnapshot>() +
                                        schema::words_of_membership(install.snapshot.membership) +
                                        words_of_bytes(install.digest) + words_of_bytes(install.data.view());
                               },
                               [](const raft::InstallReply&) { return words_of<schema::InstallReply>(); }},
                    body);
}

kj::ArrayPtr<const kj::byte> bytes_of(std::string_view bytes) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size());
}

std::string_view view_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

void fill(schema::RaftMessage::Builder out, const raft::RequestVote& vote) {
  auto body = out.initRequestVote();
  body.setPreVote(vote.pre_vote);
  body.setTransfer(vote.transfer);
  body.setLastIndex(vote.last_index.value());
  body.setLastTerm(vote.last_term.value());
  if (!vote.recorded_data_id.empty()) body.setRecordedDataId(vote.recorded_data_id.c_str());
}

void fill(schema::RaftMessage::Builder out, const raft::VoteReply& reply) {
  auto body = out.initVoteReply();
  body.setPreVote(reply.pre_vote);
  body.setGranted(reply.granted);
  if (!reply.data_id.empty()) body.setDataId(reply.data_id.c_str());
}

void fill(schema::RaftMessage::Builder out, const raft::AppendEntries& append) {
  auto body = out.initAppendEntries();
  body.setPreviousIndex(append.previous_index.value());
  body.setPreviousTerm(append.previous_term.value());
  body.setCommit(append.commit.value());
  body.setRound(append.round);
  body.setHeldByAll(append.held_by_all.value());
  if (append.entries.empty()) {
    return;
  }
  auto entries = body.initEntries(static_cast<unsigned>(append.entries.size()));
  unsigned at = 0;
  for (const auto& entry : append.entries) {
    INVARIANT(entry.index == append.previous_index + (at + 1), "the wire has no place for an entry's index");
    auto slot = entries[at++];
    slot.setTerm(entry.term.value());
    slot.setKind(static_cast<std::uint8_t>(entry.kind));
    if (!entry.payload.empty()) slot.setPayload(bytes_of(entry.payload.view()));
    if (entry.membership) schema::fill(slot.initMembership(), *entry.membership);
  }
}

void fill(schema::RaftMessage::Builder out, const raft::AppendReply& reply) {
  auto body = out.initAppendReply();
  body.setAccepted(reply.accepted);
  body.setIndex(reply.index.value());
  body.setHintIndex(reply.hint_index.value());
  body.setHintTerm(reply.hint_term.value());
  body.setRound(reply.round);
}

void fill(schema::RaftMessage::Builder out, const raft::TimeoutNow&) { out.setTimeoutNow(); }

void fill(schema::RaftMessage::Builder out, const raft::InstallSnapshot& install) {
  auto body = out.initInstallSnapshot();
  body.setIndex(install.snapshot.index.value());
  body.setIndexTerm(install.snapshot.term.value());
  schema::fill(body.initMembership(), install.snapshot.membership);
  if (!install.digest.empty()) body.setDigest(bytes_of(install.digest));
  body.setSize(install.size);
  body.setOffset(install.offset);
  if (!install.data.empty()) body.setData(bytes_of(install.data.view()));
}

void fill(schema::RaftMessage::Builder out, const raft::InstallReply& reply) {
  auto body = out.initInstallReply();
  body.setIndex(reply.index.value());
  body.setNextOffset(reply.next_offset);
  body.setRefused(reply.refused);
}

tl::unexpected<Error> bad(std::string what) {
  return fail(Errc::kInvalidArgument, "a peer's frame is not understood: " + std::move(what));
}

/// What a stranger may put into our log file: no line breaks, no escape sequences, no novels.
std::string tame(capnp::Text::Reader text, std::size_t max_bytes) {
  std::string out(text.begin(), std::min<std::size_t>(text.size(), max_bytes));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  return out;
}

Result<raft::AppendEntries> read_append(schema::AppendEntries::Reader in) {
  raft::AppendEntries append;
  append.previous_index = Index(in.getPreviousIndex());
  append.previous_term = Term(in.getPreviousTerm());
  append.commit = Index(in.getCommit());
  append.round = in.getRound();
  append.held_by_all = Index(in.getHeldByAll());
  auto entries = in.getEntries();
  if (in.getPreviousIndex() > std::numeric_limits<std::uint64_t>::max() - entries.size()) {
    return bad("its entries' indexes do not fit 64 bits");
  }
  if (entries.size() > kMaxEntries) {
    return bad("a list of " + std::to_string(entries.size()) + " entries");
  }
  append.entries.reserve(entries.size());
  Index index = append.previous_index;
  for (auto entry : entries) {
    index = index.next();
    if (entry.getKind() > static_cast<std::uint8_t>(raft::EntryKind::kMembership)) {
      return bad("an entry of kind " + std::to_string(entry.getKind()));
    }
    const auto kind = static_cast<raft::EntryKind>(entry.getKind());
    if ((kind == raft::EntryKind::kMembership) != entry.hasMembership()) {
      return bad("an entry whose kind and content disagree");
    }
    auto payload = entry.getPayload();
    if (payload.size() > limits::kMaxEntryBytes) {
      return bad("an entry of " + std::to_string(payload.size()) + " bytes");
    }
    append.entries.push_back(raft::Entry{
        Term(entry.getTerm()), index, static_cast<raft::EntryKind>(entry.getKind()), Blob(view_of(payload))});
    if (entry.hasMembership())
      append.entries.back().membership =
          std::make_shared<const raft::Membership>(schema::read(entry.getMembership()));
  }
  return append;
}

raft::InstallSnapshot read_install(schema::InstallSnapshot::Reader in) {
  raft::InstallSnapshot install;
  install.snapshot = {Index(in.getIndex()), Term(in.getIndexTerm()), schema::read(in.getMembership())};
  install.digest = view_of(in.getDigest());
  install.size = in.getSize();
  install.offset = in.getOffset();
  install.data = Blob(view_of(in.getData()));
  return install;
}

Result<Decoded> read_message(schema::RaftMessage::Reader in) {
  raft::Message message{MemberId(in.getFrom()), MemberId(in.getTo()), Term(in.getTerm()), {}};
  switch (in.which()) {
    case schema::RaftMessage::REQUEST_VOTE: {
      auto body = in.getRequestVote();
      message.body =
          raft::RequestVote{body.getPreVote(), body.getTransfer(), Index(body.getLastIndex()),
                            Term(body.getLastTerm()), tame(body.getRecordedDataId(), limits::kMaxNameBytes)};
      break;
    }
    case schema::RaftMessage::VOTE_REPLY: {
      auto body = in.getVoteReply();
      message.body = raft::VoteReply{body.getPreVote(), body.getGranted(),
                                     tame(body.getDataId(), limits::kMaxNameBytes)};
      break;
    }
    case schema::RaftMessage::APPEND_ENTRIES: {
      auto append = read_append(in.getAppendEntries());
      if (!append) {
        return fail(append.error());
      }
      message.body = std::move(*append);
      break;
    }
    case schema::RaftMessage::APPEND_REPLY: {
      auto body = in.getAppendReply();
      message.body = raft::AppendReply{body.getAccepted(), Index(body.getIndex()), Index(body.getHintIndex()),
                                       Term(body.getHintTerm()), body.getRound()};
      break;
    }
    case schema::RaftMessage::TIMEOUT_NOW:
      message.body = raft::TimeoutNow{};
      break;
    case schema::RaftMessage::INSTALL_SNAPSHOT:
      message.body = read_install(in.getInstallSnapshot());
      break;
    case schema::RaftMessage::INSTALL_REPLY: {
      auto body = in.getInstallReply();
      message.body = raft::InstallReply{Index(body.getIndex()), body.getNextOffset(), body.getRefused()};
      break;
    }
    default:
      return bad("a message of a kind that this version does not know");
  }
  return Decoded(std::move(message));
}

Hello read_hello(schema::Hello::Reader in) {
  return Hello{in.getProtocolVersion(),
               ClusterId(in.getClusterId()),
               MemberId(in.getMemberId()),
               MemberId(in.getExpectedMemberId()),
               tame(in.getName(), limits::kMaxNameBytes),
               tame(in.getClientEndpoint(), limits::kMaxAddressBytes),
               tame(in.getDataId(), limits::kMaxNameBytes),
               Index(in.getMembershipIndex()),
               tame(in.getPeerAddress(), limits::kMaxAddressBytes),
               in.getFeatureLevel()};
}

Result<Decoded> read_refusal(schema::Refusal::Reader in) {
  const auto reason = static_cast<std::uint16_t>(in.getReason());
  if (reason > static_cast<std::uint16_t>(RefusalReason::kOtherData)) {
    return bad("a refusal for a reason that this version does not know");
  }
  return Decoded(
      Refusal{static_cast<RefusalReason>(reason), tame(in.getExplanation(), kMaxExplanationBytes)});
}

Result<Decoded> read_frame(schema::PeerFrame::Reader in) {
  switch (in.which()) {
    case schema::PeerFrame::HELLO:
      return Decoded(read_hello(in.getHello()));
    case schema::PeerFrame::REFUSAL:
      return read_refusal(in.getRefusal());
    case schema::PeerFrame::MESSAGE:
      return read_message(in.getMessage());
    case schema::PeerFrame::ALIVE:
      return Decoded(Alive{});
    default:
      return bad("it is of a kind that this version does not know");
  }
}

}  // namespace

std::string_view name_of(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kWrongCluster:
      return "wrong_cluster";
    case RefusalReason::kUnknownMember:
      return "unknown_member";
    case RefusalReason::kWrongMember:
      return "wrong_member";
    case RefusalReason::kOtherVersion:
      return "protocol_version";
    case RefusalReason::kOtherData:
      return "other_data";
  }
  return "unknown";
}

Frame encode(const Hello& hello) {
  capnp::MallocMessageBuilder builder;
  auto out = builder.initRoot<schema::PeerFrame>().initHello();
  out.setProtocolVersion(hello.protocol_version);
  out.setClusterId(hello.cluster.value());
  out.setMemberId(hello.member.value());
  out.setExpectedMemberId(hello.expected.value());
  out.setName(hello.name.c_str());
  out.setClientEndpoint(hello.client_endpoint.c_str());
  out.setDataId(hello.data_id.c_str());
  out.setMembershipIndex(hello.membership_index.value());
  out.setPeerAddress(hello.peer_address.c_str());
  out.setFeatureLevel(hello.feature_level);
  return capnp::messageToFlatArray(builder);
}

Frame encode(const Refusal& refusal) {
  capnp::MallocMessageBuilder builder;
  auto out = builder.initRoot<schema::PeerFrame>().initRefusal();
  out.setReason(static_cast<schema::Refusal::Reason>(refusal.reason));
  out.setExplanation(refusal.explanation.c_str());
  return capnp::messageToFlatArray(builder);
}

Frame encode(const Alive&) {
  capnp::MallocMessageBuilder builder;
  builder.initRoot<schema::PeerFrame>().setAlive();
  return capnp::messageToFlatArray(builder);
}

Frame encode(const raft::Message& message) {
  // One segment of the exact size behind its header: the builder writes where the socket reads.
  const std::size_t words =
      1 + words_of<schema::PeerFrame>() + words_of<schema::RaftMessage>() + body_words(message.body);
  auto frame = kj::heapArray<capnp::word>(1 + words);
  std::memset(frame.begin(), 0, frame.size() * sizeof(capnp::word));
  const std::uint32_t header[2] = {0, static_cast<std::uint32_t>(words)};
  std::memcpy(frame.begin(), header, sizeof(header));

  capnp::FlatMessageBuilder builder(frame.slice(1, frame.size()));
  auto out = builder.initRoot<schema::PeerFrame>().initMessage();
  out.setFrom(message.from.value());
  out.setTo(message.to.value());
  out.setTerm(message.term.value());
  std::visit([&out](const auto& body) { fill(out, body); }, message.body);
  builder.requireFilled();
  return frame;
}

Result<Decoded> decode(kj::ArrayPtr<const capnp::word> frame) {
  Result<Decoded> result = bad("nothing was read");
  // The library reports what it dislikes by exceptions; this is the edge at which they end.
  auto exception = kj::runCatchingExceptions([&] {
    capnp::ReaderOptions options;
    options.nestingLimit = limits::kMaxNesting;
    options.traversalLimitInWords = 4 * limits::kMaxPeerFrameBytes / sizeof(capnp::word);
    capnp::FlatArrayMessageReader reader(frame, options);
    result = read_frame(reader.getRoot<schema::PeerFrame>());
  });
  KJ_IF_MAYBE (failure, exception) {
    return bad(failure->getDescription().cStr());
  }
  return result;
}

}  // namespace holdfast::peer
