#pragma once

#include <optional>
#include <vector>

#include "base/callback.h"
#include "raft/core.h"

namespace holdfast::node {

/// Where the replicated log, term and vote are kept. A write that fails or whose outcome is uncertain ends
/// the process (decision 8); no error comes back here.
class LogStore {
 public:
  virtual ~LogStore() = default;
  /// Writes hard state and entries in one transaction; several writes that wait may share one (group commit).
  /// Entries replace the stored log from the first entry's index on.
  /// Durability: `durable` runs on the loop once the write survives power loss; in the order of the calls.
  virtual void write(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                     Callback<void()> durable) = 0;
  /// Entries up to `through` (of term `term`) are no longer needed; `at_base` is the membership as of that
  /// entry. In the order of the writes; durable at leisure.
  virtual void compact(Index through, Term term, const raft::Membership& at_base) = 0;
};

}  // namespace holdfast::node
