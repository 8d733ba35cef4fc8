#include "storage/identity_table.h"

#include "storage/crc32c.h"
#include "storage/failure.h"
#include "storage/founder_table.h"
#include "storage/member_table.h"

namespace holdfast::storage {
namespace {

std::uint32_t checksum(const Identity& identity) {
  std::uint32_t crc = crc32c_number(0, identity.cluster.value());
  crc = crc32c_number(crc, identity.member.value());
  return add_members(crc32c_text(crc32c_text(crc, identity.name), identity.data_id), identity.membership);
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
  identity.membership = read_members(connection, kFounding);
  if (stored != checksum(identity)) {
    throw StorageFailure(Errc::kCorrupt, "the identity in \"" + connection.path() +
                                             "\" is damaged: its checksum does not match. " + kReplaceMember);
  }
  identity.founders = read_founders(connection, identity.cluster);
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
  write_members(connection, kFounding, identity.membership);
  if (!identity.founders.empty()) write_founders(connection, identity.cluster, identity.founders);
}

}  // namespace holdfast::storage
