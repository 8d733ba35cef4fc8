#pragma once

#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "config/config_table.h"
#include "rpc/open_reads.h"
#include "state/machine.h"

namespace holdfast::rpc {

struct PageRequest {
  config::KeyRange range;
  Revision revision;        ///< of the first page; none: this is the first page
  std::uint64_t limit = 0;  ///< 0: none
  bool keys_only = false;
  bool count_only = false;
};

struct Page {
  Revision revision;
  std::uint64_t count = 0;  ///< of the range asked for, whatever the limit
  bool more = false;
  std::size_t bytes = 0;  ///< about what the entries take in a message
  /// Valid until the machine or the open reads change.
  std::vector<const config::Change*> entries;
};

/// Reads a page of a range: at most the limit, limits::kMaxReadPageEntries and about
/// limits::kMaxReadPageBytes. A later page is as of the first one's revision: from what was kept, or from the
/// table if nothing in the range changed since.
/// Errors: kCompacted if that revision can no longer be read (begin again); kUnavailable if this member has
/// not come so far yet.
Result<Page> read_page(const state::Machine& machine, OpenReads& open_reads, const PageRequest& request);

}  // namespace holdfast::rpc
