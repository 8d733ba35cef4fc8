#include "storage/member_table.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "storage/crc32c.h"

namespace holdfast::storage {
namespace {

using Members = std::vector<raft::Member>;

constexpr std::array<std::pair<std::string_view, Members raft::Membership::*>, 3> kParts = {{
    {"voter", &raft::Membership::voters},
    {"outgoing_voter", &raft::Membership::outgoing_voters},
    {"learner", &raft::Membership::learners},
}};

}  // namespace

raft::Membership read_members(Connection& connection, std::string_view stage) {
  raft::Membership membership;
  Statement members(connection,
                    "SELECT member, name, peer_address, data_id FROM members WHERE stage = ? AND part = ? "
                    "ORDER BY place");
  for (const auto& [part, list] : kParts) {
    members.bind_text(0, stage).bind_text(1, part);
    while (members.step()) {
      raft::Member member;
      member.id = MemberId(members.number(0));
      member.name = members.bytes(1);
      member.peer_address = members.bytes(2);
      member.data_id = members.bytes(3);
      (membership.*list).push_back(std::move(member));
    }
  }
  return membership;
}

void write_members(Connection& connection, std::string_view stage, const raft::Membership& membership) {
  Statement clear(connection, "DELETE FROM members WHERE stage = ?");
  clear.bind_text(0, stage).run();
  Statement insert(connection,
                   "INSERT INTO members (stage, part, place, member, name, peer_address, data_id) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [part, list] : kParts) {
    std::int64_t place = 0;
    for (const raft::Member& each : membership.*list) {
      insert.bind_text(0, stage)
          .bind_text(1, part)
          .bind(2, place++)
          .bind_number(3, each.id.value())
          .bind_text(4, each.name)
          .bind_text(5, each.peer_address)
          .bind_text(6, each.data_id)
          .run();
    }
  }
}

std::uint32_t add_members(std::uint32_t crc, const raft::Membership& membership) {
  for (const auto& [part, list] : kParts) {
    crc = crc32c_number(crc, (membership.*list).size());
    for (const raft::Member& member : membership.*list) {
      crc = crc32c_number(crc, member.id.value());
      crc = crc32c_text(crc32c_text(crc32c_text(crc, member.name), member.peer_address), member.data_id);
    }
  }
  return crc;
}

}  // namespace holdfast::storage
