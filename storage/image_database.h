#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/rows.h"
#include "node/ports/image_store.h"
#include "storage/database.h"
#include "storage/image_digests.h"

namespace holdfast::storage {

/// Where an image stands.
struct ImageState {
  Index applied;          ///< the entry up to which the log is in the image; zero for a new one
  Revision last_history;  ///< last revision of the history table; zero if it is empty
};

/// Whether an image must be of this data directory already.
enum class Ownership {
  kExpected,
  kTakenOver,  ///< received from another member: it is this directory's from now on
};

/// The durable image of the replicated state: one plain table for each description, the history, and the
/// index at which they stand, in one SQLite database. Layout and crash story: docs/formats/LOG.md; the
/// tables: docs/formats/IMAGE.md. Thread: one at a time. Every call may throw StorageFailure; after that the
/// object is not to be used again, except that abandon() may follow DiskFull.
class ImageDatabase {
 public:
  /// Opens or creates. An image of another data directory (`data_id`) or with other tables is refused.
  ImageDatabase(const Location& location, const std::vector<TableDescription>& tables,
                const std::string& data_id, Ownership ownership = Ownership::kExpected);
  ~ImageDatabase();
  ImageDatabase(const ImageDatabase&) = delete;
  ImageDatabase& operator=(const ImageDatabase&) = delete;

  ImageState state() const { return {committed_.applied, committed_.last_history}; }
  /// Gives every row of every table, in the order of the primary key, until `take` fails; in the end the
  /// tables must be what their digests say. Its time does not depend on the history.
  /// Errors: those of `take`; kCorrupt, naming the table.
  Result<void> load(const std::function<Result<void>(std::size_t table, const Row& row)>& take);
  /// Gives every row of the history with last >= `from`, in order, until `take` fails.
  Result<void> load_history(Revision from,
                            const std::function<Result<void>(const node::HistoryRow& row)>& take);

  /// A slice of the next image, within a transaction that commit() ends.
  void write(const std::vector<RowChange>& rows, const std::vector<node::HistoryPack>& history);
  /// Durability: the image survives power loss when this returns.
  void commit(Index applied);
  bool in_transaction() const { return transaction_ != nullptr; }
  /// Drops a transaction that was not committed.
  void abandon();

  /// As node::ImageStore::read_history; also between the slices of an image, whose rows it does not show.
  /// Checks what it reads.
  std::vector<node::HistoryRow> read_history(Revision from, std::size_t most_bytes);

  /// Frames that a checkpoint would move. Requires for checkpoint(): not in a transaction.
  int wal_frames() const { return connection_->wal_frames(); }
  void checkpoint(Checkpoint mode) { connection_->checkpoint(mode); }

  /// The database file, as Connection has it.
  std::uint64_t file_size() { return connection_->file_size(); }
  std::string read_file(std::uint64_t at, std::size_t count) { return connection_->read_file(at, count); }
  const std::string& path() const { return connection_->path(); }

 private:
  struct Statements;
  struct Table;
  void create_tables();
  void take_owner(const std::string& data_id, Ownership ownership);
  void begin_if_needed();
  std::size_t ascending(std::span<const RowChange> changes) const;
  void write_ascending(std::span<const RowChange> changes);
  [[noreturn]] void damaged(const std::string& what) const;

  std::vector<TableDescription> descriptions_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Statements> statements_;
  std::vector<std::unique_ptr<Table>> tables_;  // in the order of the descriptions
  std::unique_ptr<ImageFactsTable> facts_;
  std::unique_ptr<Transaction> transaction_;
  ImageFacts committed_;
  ImageFacts written_;  // with what the transaction holds
};

}  // namespace holdfast::storage
