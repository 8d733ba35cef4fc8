#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "raft/types.h"
#include "storage/database.h"
#include "storage/identity.h"
#include "storage/log_state.h"

namespace holdfast::storage {

/// What a member finds in its log when it starts.
struct LogContents {
  raft::HardState hard_state;
  Index base_index;  ///< the last compacted or installed entry; zero if none
  Term base_term;
  std::optional<raft::Membership> base_membership;  ///< none if base_index is zero: the founding one
  std::string image_file;            ///< the image that belongs to the log; empty: the one of the first boot
  std::vector<raft::Entry> entries;  ///< those behind it, without a gap
};

/// The Raft log, term and vote, and the identity of the data directory, in one SQLite database.
/// Layout and crash story: docs/formats/LOG.md. Thread: one at a time. Every call may throw StorageFailure;
/// after that the object is not to be used again.
class LogDatabase {
 public:
  /// Opens or creates.
  explicit LogDatabase(const Location& location);
  ~LogDatabase();
  LogDatabase(const LogDatabase&) = delete;
  LogDatabase& operator=(const LogDatabase&) = delete;

  /// Nothing until set_identity() at the first boot.
  std::optional<Identity> identity();
  /// Durable when it returns. `identity.data_id` is ignored. Returns: the identity with its new data id.
  Identity set_identity(Identity identity);

  /// Reads everything and checks the chain. Required once, before the first transaction.
  LogContents load();

  /// One durable step: begin, any writes and compactions in their order, commit.
  void begin();
  /// Entries are consecutive and replace the stored log from the first one's index on. Those at or below the
  /// base, which an installed image has overtaken, are left out.
  /// Requires: the first follows a stored entry or the base.
  void write(const std::optional<raft::HardState>& hard_state, const std::vector<raft::Entry>& entries);
  /// Entries up to `through` no longer count. Their rows go later, by remove_compacted().
  void compact(Index through, Term term, const raft::Membership& at_base);
  /// The image in `image_file`, received from another member, takes the place of everything up to `at`. What
  /// lies behind stays if the log holds the entry `at` itself; else all of it goes. Requires: above the base.
  void install(const raft::Snapshot& at, const std::string& image_file);
  /// Durability: what was written since begin() survives power loss when this returns.
  void commit();
  /// Drops what was written since begin(); after DiskFull. Everything stands as it is stored.
  void rollback();

  /// Removes at most `most` rows of compacted entries in a transaction of its own.
  /// Returns: true if there are more.
  bool remove_compacted(std::uint64_t most);
  /// Frames that a checkpoint would move.
  int wal_frames() const { return connection_->wal_frames(); }
  void checkpoint(Checkpoint mode) { connection_->checkpoint(mode); }

 private:
  struct Statements;
  void write_entries(const std::vector<raft::Entry>& entries);
  /// Returns: how many of them, from the first on, have no place above the base.
  std::size_t entries_overtaken(const std::vector<raft::Entry>& entries) const;
  /// Requires: `index` is stored or the base.
  std::uint32_t chain_at(Index index);
  std::vector<raft::Entry> read_entries();

  Index lowest_row();
  void take_payload(raft::Entry& entry, std::string_view payload) const;

  std::unique_ptr<Connection> connection_;
  std::unique_ptr<LogStateTable> state_table_;
  std::unique_ptr<Statements> statements_;
  std::optional<Transaction> transaction_;
  // As of the last write, committed or not: a transaction that fails is the last one.
  LogState state_;
  Index last_index_;
  std::uint32_t last_chain_ = 0;
  Index first_row_;  // lowest row of the table, also if it is compacted; last + 1 if there is none
};

}  // namespace holdfast::storage
