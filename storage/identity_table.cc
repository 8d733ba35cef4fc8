#include "storage/identity_table.h"

#include <array>
#include <string_view>
#include <utility>

#include "storage/crc32c.h"
#include "storage/failure.h"

namespace holdfast::storage {
namespace {

using Members = std::vector<raft::Member>;

constexpr std::array<std::pair<std::string_view, Members raft::Membership::*>, 3> kParts = {{
    {"voter", &raft::Membership::voters},
    {"outgoing_voter", &raft::Membership::outgoing_voters},
    {"learner", &raft::Membership::learners},
}};

std::uint32_t add_text(std::uint32_t crc, std::string_view text) {
  return crc32c(crc32c_number(crc, text.size()), text);
}

std::uint32_t checksum(const Identity& identity) {
  std::uint32_t crc = crc32c_number(0, identity.cluster.value());
  crc = crc32c_number(crc, identity.member.value());
  crc = add_text(add_text(crc, identity.name), identity.data_id);
  for (const auto& [part, list] : kParts) {
    crc = crc32c_number(crc, (identity.membership.*list).size());
    for (const raft::Member& member : identity.membership.*list) {
      crc = crc32c_number(crc, member.id.value());
      crc = add_text(add_text(crc, member.name), member.peer_address);
    }
  }
  return crc;
}

}  // namespace

std::optional<Identity> read_identity(Connection& connection) {
  Statement one(connection, "SELECT cluster, member, name, data_id, checksum FROM identity WHERE one = 1");
  if (!one.step()) return std::nullopt;
  Identity identity;
  identity.cluster = ClusterId(one.number(0));
  identity.member = MemberId(one.number(1));
  identity.name = one.bytes(2);
  identity.data_id = one.bytes(3);
  const std::uint64_t stored = one.number(4);
  one.reset();
  Statement members(connection,
                    "SELECT member, name, peer_address FROM members WHERE part = ? ORDER BY place");
  for (const auto& [part, list] : kParts) {
    members.bind_text(0, part);
    while (members.step()) {
      (identity.membership.*list)
          .push_back(
              {MemberId(members.number(0)), std::string(members.bytes(1)), std::string(members.bytes(2))});
    }
  }
  if (stored != checksum(identity)) {
    throw StorageFailure(Errc::kCorrupt, "the identity in \"" + connection.path() +
                                             "\" is damaged: its checksum does not match. " + kReplaceMember);
  }
  return identity;
}

std::string draw_data_id(Connection& connection) {
  return connection.query("SELECT lower(hex(randomblob(16)))");
}

void write_identity(Connection& connection, const Identity& identity) {
  Statement one(
      connection,
      "INSERT INTO identity (one, cluster, member, name, data_id, checksum) VALUES (1, ?, ?, ?, ?, ?)");
  one.bind_number(0, identity.cluster.value())
      .bind_number(1, identity.member.value())
      .bind_text(2, identity.name)
      .bind_text(3, identity.data_id)
      .bind_number(4, checksum(identity))
      .run();
  Statement member(connection,
                   "INSERT INTO members (part, place, member, name, peer_address) VALUES (?, ?, ?, ?, ?)");
  for (const auto& [part, list] : kParts) {
    std::int64_t place = 0;
    for (const raft::Member& each : identity.membership.*list) {
      member.bind_text(0, part)
          .bind(1, place++)
          .bind_number(2, each.id.value())
          .bind_text(3, each.name)
          .bind_text(4, each.peer_address)
          .run();
    }
  }
}

}  // namespace holdfast::storage
