#pragma once

#include <string>

#include "base/rows.h"

/// The SQL of a described table. What create_table_sql() returns is compared with what an image was created
/// with: changing it makes every older image unreadable.
namespace holdfast::storage {

std::string create_table_sql(const TableDescription& table);
/// Parameters: all columns in their order.
std::string upsert_sql(const TableDescription& table);
/// Parameters: the key columns in their order. All columns, rows in the order of the key, from that key on.
std::string select_from_sql(const TableDescription& table);
/// Parameters: the key columns in their order.
std::string remove_sql(const TableDescription& table);
/// All columns in their order, rows in the order of the key.
std::string select_sql(const TableDescription& table);

}  // namespace holdfast::storage
