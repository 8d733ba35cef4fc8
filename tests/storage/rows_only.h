#pragma once

#include <limits>

#include "node/ports/snapshot_store.h"

namespace holdfast::storage {

/// A loader whose rows lack nothing.
class RowsOnly : public node::ImageLoader {
 public:
  Result<void> take(std::size_t, const Row&) override { return {}; }
  Revision history_wanted() const override { return Revision(std::numeric_limits<std::uint64_t>::max()); }
  Result<void> take_history(const node::HistoryRow&) override { return {}; }
  Result<void> finish() override { return {}; }
};

}  // namespace holdfast::storage
