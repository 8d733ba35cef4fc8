#include "storage/image_database.h"

#include <utility>

#include "base/check.h"
#include "storage/failure.h"
#include "storage/row_cells.h"
#include "storage/row_finder.h"
#include "storage/table_sql.h"

namespace holdfast::storage {
namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE image (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    data_id TEXT NOT NULL,
    applied_index INTEGER NOT NULL,
    last_revision INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE image_tables (
    name TEXT PRIMARY KEY,
    row_count INTEGER NOT NULL,
    checksum_sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE history (
    first_revision INTEGER PRIMARY KEY,
    last_revision INTEGER NOT NULL,
    previous_revision INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    changes BLOB NOT NULL
  ) STRICT;
)";

// An append to a log that waits behind a sync of so much waits for a millisecond or two.
// Ref: docs/decisions/0034-images-out-of-the-way.md
constexpr std::size_t kMostUnsyncedBytes = 256 << 10;

// In memory at once while an image is loaded.
constexpr std::size_t kLoadedHistoryBytes = 1 << 20;

// "HfIm"
constexpr Format kImageFormat{"image of the state", 0x4866496d, 2, kSchema, kPageBytes, kMostUnsyncedBytes};

}  // namespace

struct ImageDatabase::Statements {
  explicit Statements(Connection& c)
      : add_history(
            c,
            "INSERT INTO history (first_revision, last_revision, previous_revision, checksum, changes) "
            "VALUES (?, ?, ?, ?, ?)"),
        // Rows of an image that is not committed lie behind everything that is: the second parameter.
        read_history(
            c,
            "SELECT first_revision, last_revision, previous_revision, checksum, changes FROM history "
            "WHERE first_revision >= coalesce((SELECT max(first_revision) FROM history "
            "WHERE first_revision <= ?1), 0) "
            "AND last_revision >= ?1 AND last_revision <= ?2 ORDER BY first_revision") {}
  Statement add_history, read_history;
};

struct ImageDatabase::Table {
  Table(Connection& connection, const TableDescription& description)
      : finder(connection, description),
        upsert(connection, upsert_sql(description)),
        remove(connection, remove_sql(description)) {}
  RowFinder finder;
  Statement upsert, remove;
};

ImageDatabase::ImageDatabase(const Location& location, const std::vector<TableDescription>& tables,
                             const std::string& data_id, Ownership ownership)
    : descriptions_(tables), connection_(open_database(location, kImageFormat)) {
  create_tables();
  statements_ = std::make_unique<Statements>(*connection_);
  for (const TableDescription& table : descriptions_) {
    tables_.push_back(std::make_unique<Table>(*connection_, table));
  }
  facts_ = std::make_unique<ImageFactsTable>(*connection_, descriptions_);
  committed_ = facts_->read();
  const std::string last = connection_->query(
      "SELECT coalesce(max(last_revision), 0) FROM history "
      "WHERE first_revision = (SELECT max(first_revision) FROM history)");
  if (last != std::to_string(static_cast<std::int64_t>(committed_.last_history.value()))) {
    damaged("its history does not end where it should");
  }
  take_owner(data_id, ownership);
  written_ = committed_;
}

ImageDatabase::~ImageDatabase() = default;

void ImageDatabase::damaged(const std::string& what) const {
  throw StorageFailure(Errc::kCorrupt, "the image \"" + connection_->path() + "\" is damaged: " + what +
                                           ". " + kReplaceMember);
}

void ImageDatabase::take_owner(const std::string& data_id, Ownership ownership) {
  if (committed_.data_id == data_id) return;
  if (!committed_.data_id.empty() && ownership == Ownership::kExpected) {
    throw StorageFailure(Errc::kCorrupt,
                         "the image \"" + connection_->path() +
                             "\" belongs to another data directory than the log beside it; put back the "
                             "files that belong together");
  }
  committed_.data_id = data_id;
  Transaction transaction(*connection_);
  facts_->write(committed_);
  transaction.commit();
}

void ImageDatabase::create_tables() {
  Transaction transaction(*connection_);
  std::size_t known = 3;  // image, image_tables, history
  for (const TableDescription& table : descriptions_) {
    INVARIANT(table.key_columns > 0 && table.key_columns <= table.columns.size(), "a table has a key");
    const std::string expected = create_table_sql(table);
    Statement find(*connection_, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?");
    if (!find.bind_text(0, table.name).step()) {
      connection_->execute(expected.c_str());
    } else if (find.bytes(0) != expected) {
      throw ForeignFormat("table " + std::string(table.name) + " of the image \"" + connection_->path() +
                          "\" has other columns than this program expects; run the "
                          "version of Holdfast that wrote it");
    }
    ++known;
  }
  transaction.commit();
  const std::string present = connection_->query(
      "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
      "'sqlite_%'");
  if (present != std::to_string(known)) {
    throw ForeignFormat("the image \"" + connection_->path() +
                        "\" holds tables that this program does not know; run the "
                        "version of Holdfast that wrote it");
  }
}

Result<void> ImageDatabase::load(const std::function<Result<void>(std::size_t table, const Row& row)>& take) {
  Row row;
  for (std::size_t table = 0; table < descriptions_.size(); ++table) {
    const TableDescription& description = descriptions_[table];
    TableDigest found;
    Statement select(*connection_, select_sql(description));
    while (select.step()) {
      read_row(select, description.columns, row);
      found.put_in(checksum_of(row));
      if (Result<void> taken = take(table, row); !taken) return taken;
    }
    if (found != committed_.digests[table]) {
      damaged("table " + std::string(description.name) + " is not what its digest says");
    }
  }
  return {};
}

Result<void> ImageDatabase::load_history(
    Revision from, const std::function<Result<void>(const node::HistoryRow& row)>& take) {
  while (from <= committed_.last_history) {
    for (const node::HistoryRow& row : read_history(from, kLoadedHistoryBytes)) {
      if (Result<void> taken = take(row); !taken) return taken;
      from = row.last.next();
    }
  }
  return {};
}

void ImageDatabase::begin_if_needed() {
  if (!transaction_) transaction_ = std::make_unique<Transaction>(*connection_);
}

void ImageDatabase::abandon() {
  transaction_.reset();
  written_ = committed_;
  facts_->rolled_back();
}

void ImageDatabase::write(const std::vector<RowChange>& rows, const std::vector<node::HistoryPack>& history) {
  begin_if_needed();
  for (std::span<const RowChange> rest(rows); !rest.empty();) {
    const std::size_t count = ascending(rest);
    write_ascending(rest.first(count));
    rest = rest.subspan(count);
  }
  for (const node::HistoryPack& pack : history) {
    const node::HistoryRow row = pack.row();
    const Revision previous = written_.last_history;
    INVARIANT(row.first > previous && row.first <= row.last, "history only grows at its end");
    statements_->add_history.bind_number(0, row.first.value())
        .bind_number(1, row.last.value())
        .bind_number(2, previous.value())
        .bind_number(3, checksum_of(previous, row))
        .bind_bytes(4, row.changes.view())
        .run();
    written_.last_history = row.last;
  }
}

/// Returns: how many of the changes, from the first on, are of one table and in the order of their keys.
std::size_t ImageDatabase::ascending(std::span<const RowChange> changes) const {
  const std::size_t table = changes.front().table;
  INVARIANT(table < tables_.size(), "a row belongs to a described table");
  const std::size_t key_columns = descriptions_[table].key_columns;
  std::size_t count = 1;
  while (count < changes.size() && changes[count].table == table &&
         compare_keys(changes[count - 1].cells, changes[count].cells, key_columns) < 0) {
    ++count;
  }
  return count;
}

/// The rows as they were are read first: their pages must be fetched to change them in any case.
void ImageDatabase::write_ascending(std::span<const RowChange> changes) {
  const TableDescription& description = descriptions_[changes.front().table];
  Table& table = *tables_[changes.front().table];
  TableDigest& digest = written_.digests[changes.front().table];
  for (const RowChange& change : changes) {
    if (const Statement* before = table.finder.find(change.cells)) {
      digest.take_out(checksum_of(*before, description.columns));
    }
    if (!change.removed) digest.put_in(checksum_of(change.cells));
  }
  table.finder.done();

  for (const RowChange& change : changes) {
    Statement& statement = change.removed ? table.remove : table.upsert;
    bind_cells(statement, change.cells,
               change.removed ? description.key_columns : description.columns.size());
    statement.run();
  }
}

void ImageDatabase::commit(Index applied) {
  INVARIANT(applied >= committed_.applied, "an image never goes back");
  begin_if_needed();
  written_.applied = applied;
  facts_->write(written_);
  transaction_->commit();
  transaction_.reset();
  committed_ = written_;
}

std::vector<node::HistoryRow> ImageDatabase::read_history(Revision from, std::size_t most_bytes) {
  std::vector<node::HistoryRow> rows;
  std::size_t bytes = 0;
  Statement& read = statements_->read_history;
  read.bind_number(0, from.value()).bind_number(1, committed_.last_history.value());
  while ((rows.empty() || bytes < most_bytes) && read.step()) {
    node::HistoryRow row{Revision(read.number(0)), Revision(read.number(1)), Blob(read.bytes(4))};
    const Revision previous(read.number(2));
    if (read.number(3) != checksum_of(previous, row)) {
      damaged("the checksum of its history at revision " + std::to_string(row.first.value()) +
              " does not match");
    }
    // The first row may begin behind `from` only if no row before it could hold that revision.
    const bool gap =
        rows.empty() ? row.first > from && previous && previous >= from : previous != rows.back().last;
    if (gap) damaged("its history has a gap before revision " + std::to_string(row.first.value()));
    bytes += row.changes.size();
    rows.push_back(std::move(row));
  }
  read.reset();
  return rows;
}

}  // namespace holdfast::storage
