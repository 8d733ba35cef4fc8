#pragma once

#include <cstdint>
#include <string>

#include "raft/types.h"
#include "storage/sqlite.h"

namespace holdfast::storage {

/// The single row of table `state` of the log database, and the membership at the base that belongs to it.
struct LogState {
  raft::HardState hard_state;
  Index base_index;  ///< the last compacted or installed entry; zero if none
  Term base_term;
  Index base_pack = Index(1);        ///< where the pack with the entry behind the base begins, or will
  std::uint32_t base_chain = 0;      ///< what that pack's chain begins from
  raft::Membership base_membership;  ///< empty while base_index is zero
  std::string image_file;  ///< name of the image in the data directory; empty: the one of the first boot
};

/// Reads and writes it. A write comes before the commit of the transaction that it is in.
class LogStateTable {
 public:
  explicit LogStateTable(Connection& connection);

  /// Returns: an empty state if none was ever written. Throws: StorageFailure if the checksum does not match.
  LogState read();
  /// Requires: a transaction.
  void write(const LogState& state);

 private:
  Connection& connection_;
  Statement read_, write_;
  raft::Membership written_;  // as the table has it
};

}  // namespace holdfast::storage
