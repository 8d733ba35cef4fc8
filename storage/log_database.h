#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "raft/types.h"
#include "storage/database.h"
#include "storage/identity.h"
#include "storage/log_state.h"
#include "storage/log_table.h"

namespace holdfast::storage {

constexpr std::size_t kLogPageBytes = 8192;
/// A pack of so many bytes, and the rest of its row, still fit a page; only an entry larger than this has
/// more.
constexpr std::size_t kPackBytes = kLogPageBytes - 72;

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
  /// Entries up to `through` no longer count. Their packs go later, by remove_compacted().
  void compact(Index through, Term term, const raft::Membership& at_base);
  /// The image in `image_file`, received from another member, takes the place of everything up to `at`. What
  /// lies behind stays if the log holds the entry `at` itself; else all of it goes. Requires: above the base.
  void install(const raft::Snapshot& at, const std::string& image_file);
  /// Durability: what was written since begin() survives power loss when this returns.
  void commit();
  /// Drops what was written since begin(); after DiskFull. Everything stands as it is stored.
  void rollback();

  /// Removes at most `most` packs of compacted entries in a transaction of its own.
  /// Returns: true if there are more.
  bool remove_compacted(std::uint64_t most);
  /// Of frames that a checkpoint would move.
  std::size_t wal_bytes() const {
    return static_cast<std::size_t>(connection_->wal_frames()) * frame_bytes(kLogPageBytes);
  }
  void checkpoint(Checkpoint mode) { connection_->checkpoint(mode); }

  /// What its files occupy without holding anything, in bytes, and what they hold.
  struct Room {
    std::uint64_t free = 0;
    std::uint64_t used = 0;
  };
  Room room();
  /// Gives the file system back what is free, for good. Cost: a copy of what is used, in memory too.
  void shrink();

 private:
  std::vector<raft::Entry> read_entries();
  void unpack(const LogPack& pack, std::vector<raft::Entry>& entries);
  void take_payload(raft::Entry& entry, std::string_view payload) const;
  bool has_compacted_packs();

  void write_entries(const std::vector<raft::Entry>& entries);
  /// Returns: how many of them, from the first on, have no place above the base.
  std::size_t entries_overtaken(const std::vector<raft::Entry>& entries) const;
  void pack(const raft::Entry& entry, std::string_view payload);
  void store_pack();
  void drop_pack();
  void cut_from(Index first);

  /// Requires: `index` is above the base, and stored.
  LogPack pack_with(Index index);
  std::uint32_t chain_before(const LogPack& pack);
  void set_base(Index at, const LogPack& holding_it);

  std::unique_ptr<Connection> connection_;
  std::unique_ptr<LogStateTable> state_table_;
  std::unique_ptr<LogTable> table_;
  std::optional<Transaction> transaction_;
  // As of the last write, committed or not: a transaction that fails is the last one.
  LogState state_;
  Index last_index_;
  std::uint32_t last_chain_ = 0;  // of the last pack that is stored
  LogPack pack_;                  // being filled, not stored yet; empty outside of transactions
  bool removes_ = false;          // there may be packs of compacted entries
};

}  // namespace holdfast::storage
