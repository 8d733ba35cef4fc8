#include "peer/handshake.h"

#include <algorithm>
#include <array>

namespace holdfast::peer {

std::string to_hex(std::uint64_t id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[text.size() - 1 - i] = kDigits[(id >> (4 * i)) & 0xf];
  }
  return text;
}

Hello hello_of(const Identity& self, MemberId expected) {
  Hello hello{kProtocolVersion, self.cluster, self.member, expected, self.name, self.client_endpoint};
  hello.data_id = self.data_id;
  hello.membership_index = self.membership_index;
  hello.peer_address = self.peer_address;
  hello.feature_level = self.feature_level;
  return hello;
}

bool knows_more(const Hello& hello, const Identity& self) {
  return hello.membership_index > self.membership_index;
}

std::vector<Peer> peers_of(const raft::Membership& membership, MemberId self) {
  std::vector<Peer> peers;
  for (const auto* part : {&membership.voters, &membership.outgoing_voters, &membership.learners}) {
    for (const raft::Member& member : *part) {
      const bool there =
          std::any_of(peers.begin(), peers.end(), [&](const Peer& peer) { return peer.id == member.id; });
      if (member.id == self || there) {
        continue;
      }
      // It was checked before it came into the membership.
      if (auto endpoint = parse_endpoint(member.peer_address)) {
        peers.push_back(Peer{member.id, member.name, *endpoint, member.data_id});
      }
    }
  }
  return peers;
}

bool is_other_data(const std::string& shown, const Peer& peer) {
  return !peer.data_id.empty() && shown != peer.data_id;
}

std::optional<Refusal> refuse(const Hello& hello, const Identity& self, const std::vector<Peer>& peers) {
  if (hello.protocol_version != kProtocolVersion) {
    return Refusal{RefusalReason::kOtherVersion, "member '" + self.name + "' speaks protocol version " +
                                                     std::to_string(kProtocolVersion) + ", not " +
                                                     std::to_string(hello.protocol_version)};
  }
  if (hello.cluster != self.cluster) {
    return Refusal{RefusalReason::kWrongCluster,
                   "member '" + self.name + "' is of cluster " + to_hex(self.cluster.value()) + ", not of " +
                       to_hex(hello.cluster.value()) +
                       "; all members must be given the same cluster token and the same list of members"};
  }
  const auto known =
      std::find_if(peers.begin(), peers.end(), [&](const Peer& peer) { return peer.id == hello.member; });
  if (known == peers.end() && !knows_more(hello, self)) {
    return Refusal{RefusalReason::kUnknownMember,
                   "member '" + self.name + "' knows no other member with id " +
                       to_hex(hello.member.value()) +
                       ": it was removed from the cluster, or was not added yet"};
  }
  if (hello.expected != self.member) {
    return Refusal{RefusalReason::kWrongMember, "this is member '" + self.name + "' with id " +
                                                    to_hex(self.member.value()) + ", not " +
                                                    to_hex(hello.expected.value())};
  }
  if (known != peers.end() && is_other_data(hello.data_id, *known) && !knows_more(hello, self)) {
    return Refusal{RefusalReason::kOtherData,
                   "member '" + known->name + "' is on record with data directory " + known->data_id +
                       ", this one has " + hello.data_id +
                       "; start it with that directory, or remove the member, add it again and start it with "
                       "--rejoin"};
  }
  return std::nullopt;
}

std::optional<std::string> mistaken(const Hello& answer, const Identity& self, const Peer& dialled) {
  if (answer.protocol_version != kProtocolVersion) {
    return "it speaks protocol version " + std::to_string(answer.protocol_version);
  }
  if (answer.cluster != self.cluster) {
    return "it is of cluster " + to_hex(answer.cluster.value());
  }
  if (answer.member != dialled.id || answer.expected != self.member) {
    return "it is member '" + answer.name + "' with id " + to_hex(answer.member.value());
  }
  if (is_other_data(answer.data_id, dialled) && !knows_more(answer, self)) {
    return "it has data directory " + answer.data_id + ", on record is " + dialled.data_id;
  }
  return std::nullopt;
}

}  // namespace holdfast::peer
