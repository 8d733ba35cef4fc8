#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "raft/types.h"
#include "storage/database.h"
#include "storage/identity.h"

namespace holdfast::storage {

/// What a member finds in its log when it starts.
struct LogContents {
  raft::HardState hard_state;
  Index base_index;  ///< the last compacted entry; zero if none
  Term base_term;
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
  /// Entries are consecutive and replace the stored log from the first one's index on.
  /// Requires: the first follows a stored entry or the base.
  void write(const std::optional<raft::HardState>& hard_state, const std::vector<raft::Entry>& entries);
  /// Entries up to `through` no longer count. Their rows go later, by remove_compacted().
  void compact(Index through, Term term);
  /// Durability: what was written since begin() survives power loss when this returns.
  void commit();

  /// Removes at most `most` rows of compacted entries in a transaction of its own.
  /// Returns: true if there are more.
  bool remove_compacted(std::uint64_t most);
  /// Frames that a checkpoint would move.
  int wal_frames() const { return connection_->wal_frames(); }
  void checkpoint(Checkpoint mode) { connection_->checkpoint(mode); }

 private:
  struct Statements;
  /// The single row of table `state`.
  struct State {
    raft::HardState hard_state;
    Index base_index;
    Term base_term;
    std::uint32_t base_chain = 0;
  };
  static std::uint32_t checksum_of(const State& state);

  State read_state();
  void write_state();
  void write_entries(const std::vector<raft::Entry>& entries);
  /// Requires: `index` is stored or the base.
  std::uint32_t chain_at(Index index);
  std::vector<raft::Entry> read_entries();

  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Statements> statements_;
  std::optional<Transaction> transaction_;
  // As of the last write, committed or not: a transaction that fails is the last one.
  State state_;
  Index last_index_;
  std::uint32_t last_chain_ = 0;
  Index first_row_;  // lowest row of the table, also if it is compacted; last + 1 if there is none
};

}  // namespace holdfast::storage
