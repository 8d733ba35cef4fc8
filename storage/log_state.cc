#include "storage/log_state.h"

#include "storage/crc32c.h"
#include "storage/failure.h"
#include "storage/member_table.h"

namespace holdfast::storage {
namespace {

std::uint32_t checksum_of(const LogState& state) {
  std::uint32_t crc = crc32c_number(0, state.hard_state.term.value());
  crc = crc32c_number(crc, state.hard_state.voted_for.value());
  crc = crc32c_number(crc, state.base_index.value());
  crc = crc32c_number(crc, state.base_term.value());
  crc = crc32c_number(crc, state.base_pack.value());
  crc = crc32c_number(crc, state.base_chain);
  return add_members(crc32c_text(crc, state.image_file), state.base_membership);
}

}  // namespace

LogStateTable::LogStateTable(Connection& connection)
    : connection_(connection),
      read_(connection,
            "SELECT term, voted_for, base_index, base_term, base_pack, base_chain, image_file, checksum FROM "
            "state "
            "WHERE one = 1"),
      write_(connection,
             "REPLACE INTO state (one, term, voted_for, base_index, base_term, base_pack, base_chain, "
             "image_file, "
             "checksum) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)") {}

LogState LogStateTable::read() {
  LogState state;
  if (!read_.step()) return state;
  state.hard_state = {Term(read_.number(0)), MemberId(read_.number(1))};
  state.base_index = Index(read_.number(2));
  state.base_term = Term(read_.number(3));
  state.base_pack = Index(read_.number(4));
  state.base_chain = static_cast<std::uint32_t>(read_.number(5));
  state.image_file = read_.bytes(6);
  const auto checksum = static_cast<std::uint32_t>(read_.number(7));
  read_.reset();
  state.base_membership = read_members(connection_, kAtBase);
  if (checksum != checksum_of(state)) {
    throw StorageFailure(Errc::kCorrupt, "the log \"" + connection_.path() +
                                             "\" is damaged: the checksum of term and vote does not match. " +
                                             kReplaceMember);
  }
  written_ = state.base_membership;
  return state;
}

void LogStateTable::write(const LogState& state) {
  write_.bind_number(0, state.hard_state.term.value())
      .bind_number(1, state.hard_state.voted_for.value())
      .bind_number(2, state.base_index.value())
      .bind_number(3, state.base_term.value())
      .bind_number(4, state.base_pack.value())
      .bind_number(5, state.base_chain)
      .bind_text(6, state.image_file)
      .bind_number(7, checksum_of(state))
      .run();
  // Rarely: memberships change less often than terms, votes and bases.
  if (state.base_membership == written_) return;
  write_members(connection_, kAtBase, state.base_membership);
  written_ = state.base_membership;
}

}  // namespace holdfast::storage
