#pragma once

#include "base/rows.h"
#include "storage/sqlite.h"

/// The cells of described rows, as SQLite takes, gives and orders them.
namespace holdfast::storage {

/// Binds the first `count` cells, as parameters from the first on.
void bind_cells(Statement& statement, const Row& cells, std::size_t count);
/// The whole row that the statement stands at, into the memory that `row` has.
void read_row(const Statement& statement, const std::vector<Column>& columns, Row& row);

/// Both look at the first `count` cells, which are a key. Returns: less than, equal to or more than 0.
int compare_keys(const Row& a, const Row& b, std::size_t count);
int compare_keys(const Statement& a, const Row& b, std::size_t count);

}  // namespace holdfast::storage
