#pragma once

#include <cstddef>

#include "base/rows.h"
#include "storage/sqlite.h"

namespace holdfast::storage {

/// Finds rows of one table by their keys, which ascend from one find() to the next: it goes on from row to
/// row, for a third of what it costs to find each anew. Until done() the table must not be changed.
class RowFinder {
 public:
  RowFinder(Connection& connection, const TableDescription& table);

  /// `cells` begins with the key. Returns: all columns of its row, until the next call; null if there is
  /// none.
  const Statement* find(const Row& cells);
  void done();

 private:
  enum class At { kNowhere, kRow, kEnd };
  void step();

  const std::size_t key_columns_;
  Statement from_;
  At at_ = At::kNowhere;
};

}  // namespace holdfast::storage
