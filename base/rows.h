#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/blob.h"

/// How the replicated state becomes rows of plain tables. The tables describe themselves (state/rows.h);
/// storage creates, writes and reads whatever is described, so a new table needs no new SQL.
namespace holdfast {

enum class ColumnType { kInteger, kText, kBytes };

struct Column {
  std::string_view name;
  ColumnType type;
};

/// A table with named columns; the first `key_columns` of them are its primary key.
struct TableDescription {
  std::string_view name;
  std::vector<Column> columns;
  std::size_t key_columns;
};

/// Integers are stored as SQLite's signed 64-bit; text and bytes differ only in how the sqlite3 shell shows
/// them.
using Cell = std::variant<std::int64_t, std::string, Blob>;

/// A whole row, in the order of its description's columns.
using Row = std::vector<Cell>;

/// What happened to one row since the last image.
struct RowChange {
  std::size_t table = 0;  ///< position in the list of descriptions
  bool removed = false;
  Row cells;  ///< the whole row; only the key columns if removed
};

}  // namespace holdfast
