#pragma once

#include <functional>
#include <vector>

#include "base/blob.h"
#include "base/callback.h"
#include "base/ids.h"
#include "base/rows.h"

namespace holdfast::node {

/// A row of the history table; `changes` is opaque to the store.
struct HistoryRow {
  Revision first;
  Revision last;
  Blob changes;
};

/// One that is to be written. Its bytes are made where they are written, on the store's thread: they need not
/// exist for a whole image at once.
struct HistoryPack {
  Revision first;
  Revision last;
  std::function<Blob()> changes;

  HistoryRow row() const { return {first, last, changes()}; }
};

/// Where the image of the replicated state is kept. As with the log, a failed write ends the process.
class ImageStore {
 public:
  virtual ~ImageStore() = default;
  /// A slice of the next image. Slices gather in one open transaction...
  virtual void write(std::vector<RowChange> rows, std::vector<HistoryPack> history) = 0;
  /// ...that this commits, together with the index it stands at.
  /// Durability: `durable` runs on the loop once the image survives power loss.
  virtual void commit(Index applied, Callback<void()> durable) = 0;
  /// Reads history rows with last >= `from`, in order, at most about `most_bytes` of them (at least one, if
  /// any). `result` runs on the loop. Rows of an image not yet committed are not seen.
  virtual void read_history(Revision from, std::size_t most_bytes,
                            Callback<void(std::vector<HistoryRow>)> result) = 0;
};

}  // namespace holdfast::node
