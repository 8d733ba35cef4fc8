#pragma once

#include <vector>

#include "base/rows.h"

namespace holdfast::state {

/// Every table of the image, described: docs/formats/IMAGE.md. The position in the list is RowChange::table.
const std::vector<TableDescription>& table_descriptions();

}  // namespace holdfast::state
