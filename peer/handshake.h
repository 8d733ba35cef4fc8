#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/ids.h"
#include "peer/codec.h"

/// Who may talk to whom; pure.
namespace holdfast::peer {

/// What this member says of itself.
struct Identity {
  ClusterId cluster;
  MemberId member;
  std::string name;
  std::string client_endpoint;
  std::string data_id = {};         ///< of its data directory; known from Transport::start() on
  std::string peer_address = {};    ///< where others reach it
  Index membership_index = {};      ///< of the entry that its membership comes from
  std::uint16_t feature_level = 1;  ///< the highest that it supports
};

/// Another member, and where it listens for peers.
struct Peer {
  MemberId id;
  std::string name;
  Endpoint endpoint;
  std::string data_id = {};  ///< the membership's record; empty: not known yet, any will do
};

/// Everybody in the membership but `self`.
std::vector<Peer> peers_of(const raft::Membership& membership, MemberId self);

/// True if a member shows another data directory than the one on record: its disk was wiped or exchanged, and
/// what it promised under this id is forgotten.
bool is_other_data(const std::string& shown, const Peer& peer);

/// What to say to `expected`.
Hello hello_of(const Identity& self, MemberId expected);

/// Does the sender have a later membership than this member? Then it may be one that was added, or taken in
/// again with another disk, while this member was away; and it may lead.
bool knows_more(const Hello& hello, const Identity& self);

/// Judges the Hello that came with an accepted connection. A stranger that knows_more() is welcome: whoever
/// lags must hear the leader of today. Returns: why not, or nullopt if it is welcome.
std::optional<Refusal> refuse(const Hello& hello, const Identity& self, const std::vector<Peer>& peers);

/// Judges the answer to our Hello. Returns: what is wrong with it, or nullopt.
std::optional<std::string> mistaken(const Hello& answer, const Identity& self, const Peer& dialled);

/// Ids as people read them: 16 hexadecimal digits.
std::string to_hex(std::uint64_t id);

}  // namespace holdfast::peer
