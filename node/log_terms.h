#pragma once

#include <iterator>
#include <map>

#include "base/ids.h"
#include "raft/core.h"

namespace holdfast::node {

/// The terms of the stored log's entries, from its base to the last applied one: to name the entry through
/// which the log is compacted. Costs one place a term.
class LogTerms {
 public:
  explicit LogTerms(const raft::Restored& restored) : base_(restored.base_index) {
    firsts_.emplace(restored.base_index, restored.base_term);
    // What is beyond may still be replaced; it is noted when it is applied.
    for (const raft::Entry& entry : restored.entries) {
      if (entry.index <= restored.applied) applied(entry);
    }
  }

  void applied(const raft::Entry& entry) {
    if (firsts_.rbegin()->second != entry.term) firsts_.emplace(entry.index, entry.term);
  }
  /// The last compacted entry.
  Index base() const { return base_; }
  /// Requires: base() <= index <= applied.
  Term at(Index index) const { return std::prev(firsts_.upper_bound(index))->second; }
  void compact(Index through) {
    base_ = through;
    firsts_.erase(firsts_.begin(), std::prev(firsts_.upper_bound(through)));
  }

 private:
  Index base_;
  std::map<Index, Term> firsts_;  // the first index of each term
};

}  // namespace holdfast::node
