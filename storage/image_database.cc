#include "storage/image_database.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "storage/failure.h"
#include "storage/table_sql.h"

namespace holdfast::storage {
namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE image (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    data_id TEXT NOT NULL,
    applied_index INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE history (
    first_revision INTEGER PRIMARY KEY,
    last_revision INTEGER NOT NULL,
    changes BLOB NOT NULL
  ) STRICT;
)";

// "HfIm"
constexpr Format kImageFormat{"image of the state", 0x4866496d, 1, kSchema};

void bind_cells(Statement& statement, const Row& cells, std::size_t count) {
  INVARIANT(cells.size() >= count, "a row has all the columns of its table");
  for (std::size_t i = 0; i < count; ++i) {
    const int parameter = static_cast<int>(i);
    if (const auto* number = std::get_if<std::int64_t>(&cells[i])) {
      statement.bind(parameter, *number);
    } else if (const auto* text = std::get_if<std::string>(&cells[i])) {
      statement.bind_text(parameter, *text);
    } else {
      statement.bind_bytes(parameter, std::get<Blob>(cells[i]).view());
    }
  }
}

Cell read_cell(const Statement& statement, int column, ColumnType type) {
  switch (type) {
    case ColumnType::kInteger:
      return statement.integer(column);
    case ColumnType::kText:
      return std::string(statement.bytes(column));
    case ColumnType::kBytes:
      break;
  }
  return Blob::copy_of(statement.bytes(column));
}

}  // namespace

struct ImageDatabase::Statements {
  explicit Statements(Connection& c)
      : add_history(c, "INSERT INTO history (first_revision, last_revision, changes) VALUES (?, ?, ?)"),
        // Rows of an image that is not committed lie behind everything that is: the second parameter.
        read_history(c,
                     "SELECT first_revision, last_revision, changes FROM history "
                     "WHERE first_revision >= coalesce((SELECT max(first_revision) FROM history "
                     "WHERE first_revision <= ?1), 0) "
                     "AND last_revision >= ?1 AND last_revision <= ?2 ORDER BY first_revision"),
        set_applied(c, "UPDATE image SET applied_index = ? WHERE one = 1") {}
  Statement add_history, read_history, set_applied;
};

struct ImageDatabase::Table {
  Table(Connection& connection, const TableDescription& description)
      : upsert(connection, upsert_sql(description)), remove(connection, remove_sql(description)) {}
  Statement upsert, remove;
};

ImageDatabase::ImageDatabase(const Location& location, const std::vector<TableDescription>& tables,
                             const std::string& data_id)
    : descriptions_(tables), connection_(open_database(location, kImageFormat)) {
  check_owner(data_id);
  create_tables();
  statements_ = std::make_unique<Statements>(*connection_);
  for (const TableDescription& table : descriptions_) {
    tables_.push_back(std::make_unique<Table>(*connection_, table));
  }
  committed_.applied = Index(std::stoull(connection_->query("SELECT applied_index FROM image")));
  committed_.last_history =
      Revision(std::stoull(connection_->query("SELECT coalesce(max(last_revision), 0) FROM history "
                                              "WHERE first_revision = (SELECT max(first_revision) "
                                              "FROM history)")));
  last_written_ = committed_.last_history;
}

ImageDatabase::~ImageDatabase() = default;

void ImageDatabase::check_owner(const std::string& data_id) {
  const std::string found = connection_->query("SELECT data_id FROM image");
  if (found.empty()) {
    Transaction transaction(*connection_);
    Statement insert(*connection_, "INSERT INTO image (one, data_id, applied_index) VALUES (1, ?, 0)");
    insert.bind_text(0, data_id).run();
    transaction.commit();
  } else if (found != data_id) {
    throw StorageFailure(Errc::kCorrupt,
                         "the image \"" + connection_->path() +
                             "\" belongs to another data directory than the log beside it; put back the "
                             "files that belong together");
  }
}

void ImageDatabase::create_tables() {
  Transaction transaction(*connection_);
  std::size_t known = 2;  // image, history
  for (const TableDescription& table : descriptions_) {
    INVARIANT(table.key_columns > 0 && table.key_columns <= table.columns.size(), "a table has a key");
    const std::string expected = create_table_sql(table);
    Statement find(*connection_, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?");
    if (!find.bind_text(0, table.name).step()) {
      connection_->execute(expected.c_str());
    } else if (find.bytes(0) != expected) {
      throw StorageFailure(Errc::kStorage, "table " + std::string(table.name) + " of the image \"" +
                                               connection_->path() +
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
    throw StorageFailure(Errc::kStorage, "the image \"" + connection_->path() +
                                             "\" holds tables that this program does not know; run the "
                                             "version of Holdfast that wrote it");
  }
}

Result<void> ImageDatabase::load(const std::function<Result<void>(std::size_t table, const Row& row)>& take) {
  Row row;
  for (std::size_t table = 0; table < descriptions_.size(); ++table) {
    const std::vector<Column>& columns = descriptions_[table].columns;
    Statement select(*connection_, select_sql(descriptions_[table]));
    while (select.step()) {
      row.clear();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        row.push_back(read_cell(select, static_cast<int>(i), columns[i].type));
      }
      if (Result<void> taken = take(table, row); !taken) return taken;
    }
  }
  return {};
}

void ImageDatabase::write(const std::vector<RowChange>& rows, const std::vector<node::HistoryRow>& history) {
  if (!transaction_) transaction_ = std::make_unique<Transaction>(*connection_);
  for (const RowChange& change : rows) write_row(change);
  for (const node::HistoryRow& row : history) {
    INVARIANT(row.first > last_written_ && row.first <= row.last, "history only grows at its end");
    statements_->add_history.bind_number(0, row.first.value())
        .bind_number(1, row.last.value())
        .bind_bytes(2, row.changes.view())
        .run();
    last_written_ = row.last;
  }
}

void ImageDatabase::write_row(const RowChange& change) {
  INVARIANT(change.table < tables_.size(), "a row belongs to a described table");
  const TableDescription& description = descriptions_[change.table];
  Table& table = *tables_[change.table];
  if (change.removed) {
    bind_cells(table.remove, change.cells, description.key_columns);
    table.remove.run();
  } else {
    bind_cells(table.upsert, change.cells, description.columns.size());
    table.upsert.run();
  }
}

void ImageDatabase::commit(Index applied) {
  INVARIANT(applied >= committed_.applied, "an image never goes back");
  if (!transaction_) transaction_ = std::make_unique<Transaction>(*connection_);
  if (applied != committed_.applied) {
    statements_->set_applied.bind_number(0, applied.value()).run();
  }
  transaction_->commit();
  transaction_.reset();
  committed_ = ImageState{applied, last_written_};
}

std::vector<node::HistoryRow> ImageDatabase::read_history(Revision from, std::size_t most_bytes) {
  std::vector<node::HistoryRow> rows;
  std::size_t bytes = 0;
  Statement& read = statements_->read_history;
  read.bind_number(0, from.value()).bind_number(1, committed_.last_history.value());
  while ((rows.empty() || bytes < most_bytes) && read.step()) {
    rows.push_back({Revision(read.number(0)), Revision(read.number(1)), Blob::copy_of(read.bytes(2))});
    bytes += rows.back().changes.size();
  }
  read.reset();
  return rows;
}

}  // namespace holdfast::storage
