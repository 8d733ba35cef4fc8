#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace holdfast::session {

/// Where a watch stands, so that it can go on at another member without a gap and without a repetition.
///
/// A batch says which revision comes next; but the changes of one large revision may be cut in two batches,
/// and then a new member begins that revision anew: those of its changes that were delivered are skipped. All
/// members send the changes of a revision in the same order.
class WatchPosition {
 public:
  /// The watch covers `first` and later.
  explicit WatchPosition(Revision first) : next_(first) {}

  /// What to ask a member for.
  Revision next() const { return next_; }

  /// A member was asked to begin at next().
  void resumed() { to_skip_ = delivered_of_next_; }

  /// Takes a batch with the revisions of its changes in order.
  /// Returns: how many changes at its beginning were delivered before and must be dropped.
  std::size_t take(const std::vector<Revision>& revisions, Revision next_revision);

 private:
  Revision next_;
  std::size_t delivered_of_next_ = 0;  ///< changes at revision next_ that were delivered
  std::size_t to_skip_ = 0;
};

}  // namespace holdfast::session
