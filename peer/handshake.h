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
  std::string data_id = {};  ///< of its data directory; known from Transport::start() on
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

/// Judges the Hello that came with an accepted connection. Returns: why not, or nullopt if it is welcome.
std::optional<Refusal> refuse(const Hello& hello, const Identity& self, const std::vector<Peer>& peers);

/// Judges the answer to our Hello. Returns: what is wrong with it, or nullopt.
std::optional<std::string> mistaken(const Hello& answer, const Identity& self, const Peer& dialled);

/// Ids as people read them: 16 hexadecimal digits.
std::string to_hex(std::uint64_t id);

}  // namespace holdfast::peer
