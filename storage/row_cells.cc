#include "storage/row_cells.h"

#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"

namespace holdfast::storage {
namespace {

std::string_view view_of(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr ? *text : std::get<Blob>(cell).view();
}

int compare(std::int64_t a, std::int64_t b) { return a < b ? -1 : a > b; }

void read_cell(const Statement& statement, int column, ColumnType type, Cell& cell) {
  switch (type) {
    case ColumnType::kInteger:
      cell = statement.integer(column);
      return;
    case ColumnType::kText:
      if (!std::holds_alternative<std::string>(cell)) cell.emplace<std::string>();
      std::get<std::string>(cell) = statement.bytes(column);  // into the memory that it has
      return;
    case ColumnType::kBytes:
      cell = Blob(statement.bytes(column));
  }
}

}  // namespace

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

void read_row(const Statement& statement, const std::vector<Column>& columns, Row& row) {
  row.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    read_cell(statement, static_cast<int>(i), columns[i].type, row[i]);
  }
}

int compare_keys(const Row& a, const Row& b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto* number = std::get_if<std::int64_t>(&a[i]);
    const int order = number != nullptr ? compare(*number, std::get<std::int64_t>(b[i]))
                                        : view_of(a[i]).compare(view_of(b[i]));
    if (order != 0) return order;
  }
  return 0;
}

int compare_keys(const Statement& a, const Row& b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const int column = static_cast<int>(i);
    const auto* number = std::get_if<std::int64_t>(&b[i]);
    const int order =
        number != nullptr ? compare(a.integer(column), *number) : a.bytes(column).compare(view_of(b[i]));
    if (order != 0) return order;
  }
  return 0;
}

}  // namespace holdfast::storage
