#include "storage/table_sql.h"

#include <string_view>

namespace holdfast::storage {
namespace {

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

std::string_view type_name(ColumnType type) {
  switch (type) {
    case ColumnType::kInteger:
      return "INTEGER";
    case ColumnType::kText:
      return "TEXT";
    case ColumnType::kBytes:
      return "BLOB";
  }
  return "";
}

/// The first `count` column names, separated by commas.
std::string column_list(const TableDescription& table, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += quoted(table.columns[i].name);
  }
  return text;
}

std::string parameters(std::size_t count) {
  std::string text = "?";
  for (std::size_t i = 1; i < count; ++i) text += ", ?";
  return text;
}

std::string key_condition(const TableDescription& table) {
  std::string condition;
  for (std::size_t i = 0; i < table.key_columns; ++i) {
    if (i > 0) condition += " AND ";
    condition += quoted(table.columns[i].name) + " = ?";
  }
  return condition;
}

}  // namespace

std::string create_table_sql(const TableDescription& table) {
  std::string text = "CREATE TABLE " + quoted(table.name) + " (";
  for (const Column& column : table.columns) {
    text += quoted(column.name) + " " + std::string(type_name(column.type)) + " NOT NULL, ";
  }
  // One tree for a table: a changed row costs one page, not one in the table and one in its index.
  return text + "PRIMARY KEY (" + column_list(table, table.key_columns) + ")) STRICT, WITHOUT ROWID";
}

std::string upsert_sql(const TableDescription& table) {
  return "REPLACE INTO " + quoted(table.name) + " VALUES (" + parameters(table.columns.size()) + ")";
}

std::string select_from_sql(const TableDescription& table) {
  const std::string key = column_list(table, table.key_columns);
  return "SELECT " + column_list(table, table.columns.size()) + " FROM " + quoted(table.name) + " WHERE (" +
         key + ") >= (" + parameters(table.key_columns) + ") ORDER BY " + key;
}

std::string remove_sql(const TableDescription& table) {
  return "DELETE FROM " + quoted(table.name) + " WHERE " + key_condition(table);
}

std::string select_sql(const TableDescription& table) {
  return "SELECT " + column_list(table, table.columns.size()) + " FROM " + quoted(table.name) + " ORDER BY " +
         column_list(table, table.key_columns);
}

}  // namespace holdfast::storage
