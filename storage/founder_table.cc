#include "storage/founder_table.h"

#include <cstdint>
#include <string>
#include <utility>

#include "storage/crc32c.h"
#include "storage/failure.h"

namespace holdfast::storage {
namespace {

/// How many there are is part of each row's: none can go missing.
std::uint32_t checksum(ClusterId cluster, std::uint64_t count, std::uint64_t place,
                       const raft::Member& founder) {
  const std::uint32_t crc = crc32c_number(crc32c_number(crc32c_number(0, cluster.value()), count), place);
  return crc32c_text(crc32c_text(crc, founder.name), founder.peer_address);
}

}  // namespace

std::vector<raft::Member> read_founders(Connection& connection, ClusterId cluster) {
  if (connection.query("SELECT count(*) FROM sqlite_schema WHERE name = 'founders'") == "0") return {};
  std::vector<raft::Member> founders;
  std::vector<std::uint64_t> checksums;
  Statement rows(connection, "SELECT name, peer_address, checksum FROM founders ORDER BY place");
  while (rows.step()) {
    raft::Member founder;
    founder.name = rows.bytes(0);
    founder.peer_address = rows.bytes(1);
    founders.push_back(std::move(founder));
    checksums.push_back(rows.number(2));
  }
  for (std::size_t place = 0; place < founders.size(); ++place) {
    if (checksums[place] != checksum(cluster, founders.size(), place, founders[place])) {
      throw StorageFailure(Errc::kCorrupt, "the list of founders in \"" + connection.path() +
                                               "\" is damaged: a checksum does not match. " + kReplaceMember);
    }
  }
  return founders;
}

void write_founders(Connection& connection, ClusterId cluster, const std::vector<raft::Member>& founders) {
  connection.execute(R"(
    CREATE TABLE IF NOT EXISTS founders (
      place INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      peer_address TEXT NOT NULL,
      checksum INTEGER NOT NULL
    ) STRICT)");
  Statement insert(connection,
                   "INSERT INTO founders (place, name, peer_address, checksum) VALUES (?, ?, ?, ?)");
  for (std::size_t place = 0; place < founders.size(); ++place) {
    insert.bind_number(0, place)
        .bind_text(1, founders[place].name)
        .bind_text(2, founders[place].peer_address)
        .bind_number(3, checksum(cluster, founders.size(), place, founders[place]))
        .run();
  }
}

}  // namespace holdfast::storage
