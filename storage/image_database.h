#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/rows.h"
#include "node/ports/image_store.h"
#include "storage/database.h"

namespace holdfast::storage {

/// Where an image stands.
struct ImageState {
  Index applied;          ///< the entry up to which the log is in the image; zero for a new one
  Revision last_history;  ///< last revision of the history table; zero if it is empty
};

/// The durable image of the replicated state: one plain table for each description, the history, and the
/// index at which they stand, in one SQLite database. Layout and crash story: docs/formats/LOG.md; the
/// tables: docs/formats/IMAGE.md. Thread: one at a time. Every call may throw StorageFailure; after that the
/// object is not to be used again.
class ImageDatabase {
 public:
  /// Opens or creates. An image of another data directory (`data_id`) or with other tables is refused.
  ImageDatabase(const Location& location, const std::vector<TableDescription>& tables,
                const std::string& data_id);
  ~ImageDatabase();
  ImageDatabase(const ImageDatabase&) = delete;
  ImageDatabase& operator=(const ImageDatabase&) = delete;

  ImageState state() const { return committed_; }
  /// Gives every row of every table, in the order of the primary key, until `take` fails.
  Result<void> load(const std::function<Result<void>(std::size_t table, const Row& row)>& take);

  /// A slice of the next image, within a transaction that commit() ends.
  void write(const std::vector<RowChange>& rows, const std::vector<node::HistoryRow>& history);
  /// Durability: the image survives power loss when this returns.
  void commit(Index applied);
  bool in_transaction() const { return transaction_ != nullptr; }

  /// As node::ImageStore::read_history; also between the slices of an image, whose rows it does not show.
  std::vector<node::HistoryRow> read_history(Revision from, std::size_t most_bytes);

  /// Frames that a checkpoint would move. Requires for checkpoint(): not in a transaction.
  int wal_frames() const { return connection_->wal_frames(); }
  void checkpoint(Checkpoint mode) { connection_->checkpoint(mode); }
  /// Drops a transaction that was not committed.
  void abandon() { transaction_.reset(); }

 private:
  struct Statements;
  struct Table;
  void create_tables();
  void check_owner(const std::string& data_id);
  void write_row(const RowChange& change);

  std::vector<TableDescription> descriptions_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Statements> statements_;
  std::vector<std::unique_ptr<Table>> tables_;  // in the order of the descriptions
  std::unique_ptr<Transaction> transaction_;
  ImageState committed_;
  Revision last_written_;  // of the history, committed or not
};

}  // namespace holdfast::storage
