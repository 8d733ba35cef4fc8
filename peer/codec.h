#pragma once

#include <capnp/common.h>
#include <kj/array.h>

#include <cstdint>
#include <string>
#include <variant>

#include "base/ids.h"
#include "base/result.h"
#include "raft/messages.h"

/// What members say to each other, as frames: see docs/formats/PEER.md.
namespace holdfast::peer {

constexpr std::uint16_t kProtocolVersion = 1;

/// The first frame each way.
struct Hello {
  std::uint16_t protocol_version = kProtocolVersion;
  ClusterId cluster;
  MemberId member;    ///< the sender
  MemberId expected;  ///< whom the sender believes to talk to
  std::string name;
  std::string client_endpoint;      ///< where clients reach the sender
  std::string data_id = {};         ///< of the sender's data directory
  Index membership_index = {};      ///< of the entry that the sender's membership comes from
  std::string peer_address = {};    ///< where other members reach the sender
  std::uint16_t feature_level = 1;  ///< the highest that the sender supports; docs/GLOSSARY.md

  friend bool operator==(const Hello&, const Hello&) = default;
};

enum class RefusalReason : std::uint8_t {
  kWrongCluster,
  kUnknownMember,
  kWrongMember,
  kOtherVersion,
  kOtherData
};

/// "wrong_cluster"
std::string_view name_of(RefusalReason reason);

/// The answer to a Hello that is not liked; the connection ends with it.
struct Refusal {
  RefusalReason reason = RefusalReason::kWrongCluster;
  std::string explanation;

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// A sign of life. The dialling side sends one every so often; the accepting side, which sends nothing else,
/// answers that bytes have arrived since its last one.
struct Alive {
  friend bool operator==(const Alive&, const Alive&) = default;
};

using Frame = kj::Array<capnp::word>;
using Decoded = std::variant<Hello, Refusal, raft::Message, Alive>;

Frame encode(const Hello& hello);
Frame encode(const Refusal& refusal);
Frame encode(const Alive& alive);
/// Copies each payload once, straight into the frame.
Frame encode(const raft::Message& message);

/// Never throws, whatever the bytes are. Copies each payload once. Text is cut to what a line of logging can
/// bear. Errors: kInvalidArgument with what is wrong.
Result<Decoded> decode(kj::ArrayPtr<const capnp::word> frame);

}  // namespace holdfast::peer
