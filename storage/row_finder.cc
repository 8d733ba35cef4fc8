#include "storage/row_finder.h"

#include "storage/row_cells.h"
#include "storage/table_sql.h"

namespace holdfast::storage {

// To pass more rows than these costs as much as to find one anew.
constexpr int kMostPassed = 3;

RowFinder::RowFinder(Connection& connection, const TableDescription& table)
    : key_columns_(table.key_columns), from_(connection, select_from_sql(table)) {}

const Statement* RowFinder::find(const Row& cells) {
  for (int passed = 0; at_ == At::kRow; ++passed) {
    const int order = compare_keys(from_, cells, key_columns_);
    if (order == 0) return &from_;
    if (order > 0) return nullptr;
    if (passed == kMostPassed)
      done();
    else
      step();
  }
  if (at_ == At::kEnd) return nullptr;
  bind_cells(from_, cells, key_columns_);
  step();
  return at_ == At::kRow && compare_keys(from_, cells, key_columns_) == 0 ? &from_ : nullptr;
}

void RowFinder::step() {
  at_ = At::kNowhere;  // if it fails
  at_ = from_.step() ? At::kRow : At::kEnd;
}

void RowFinder::done() {
  if (at_ == At::kRow) from_.reset();
  at_ = At::kNowhere;
}

}  // namespace holdfast::storage
