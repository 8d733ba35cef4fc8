#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/rows.h"
#include "config/config_table.h"
#include "lease/lease_table.h"
#include "lock/claim.h"
#include "registry/registry_table.h"
#include "state/machine.h"
#include "state/sessions.h"

/// How each table's values become cells, and back: docs/formats/IMAGE.md.
namespace holdfast::state {

/// Positions in table_descriptions().
enum TableId : std::size_t {
  kMetaTable,
  kLeasesTable,
  kConfigTable,
  kInstancesTable,
  kLockHoldersTable,
  kLockWaitersTable,
  kSessionsTable,
  kOutcomesTable,
  kMembersTable,
  kMemberLevelsTable,
};

// Appends the cells of the key: what a removal carries.
void add_key(Row& row, LeaseId id);
void add_key(Row& row, std::string text);
void add_key(Row& row, std::pair<std::string, std::string> key);
void add_key(Row& row, lock::ClaimKey key);
void add_key(Row& row, const OutcomeKey& key);
void add_key(Row& row, MemberId id);

// Appends the other cells of the row.
void add_cells(Row& row, std::uint64_t meta);
void add_cells(Row& row, const lease::Lease& lease);
void add_cells(Row& row, const config::Change& put);
void add_cells(Row& row, const registry::Instance& instance);
void add_cells(Row& row, const lock::Holder& holder);
void add_cells(Row& row, const lock::Waiter& waiter);
void add_cells(Row& row, const Session& session);
void add_cells(Row& row, const Reply& reply);
void add_cells(Row& row, const MemberAddress& member);

/// Reads the cells of one row; after the first that does not fit, everything read is empty and complete()
/// fails.
class RowReader {
 public:
  explicit RowReader(const Row& row) : row_(row) {}

  std::uint64_t number();
  milliseconds time();
  std::string text() { return std::string(view()); }
  /// Text or bytes where they are: in the row.
  std::string_view view();
  Blob bytes();
  void fail_with(std::string why);

  /// Errors: kCorrupt if a cell was missing, superfluous or of another type, or after fail_with().
  Result<void> complete(std::size_t table) const;

 private:
  const Cell* next();

  const Row& row_;
  std::size_t position_ = 0;
  std::string wrong_;
};

// Each reads a whole row but for its key, which the caller has read.
lease::Lease read_lease(RowReader& row, LeaseId id);
config::Change read_put(RowReader& row, std::string_view key);
registry::Instance read_instance(RowReader& row, std::string id);
lock::Holder read_holder(RowReader& row, Token token);
lock::Waiter read_waiter(RowReader& row, lock::Ticket ticket);

}  // namespace holdfast::state
