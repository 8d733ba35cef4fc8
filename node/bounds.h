#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace holdfast::node {

/// What callers and watchers may make one node hold in memory.
struct Bounds {
  /// Commands whose fate is not known yet. Those that the leader proposes itself come on top: they are few.
  std::size_t proposals = limits::kMaxPendingProposals;
  std::size_t proposal_bytes = limits::kMaxPendingProposalBytes;
  /// Queued for one watcher that follows, before it reads history instead.
  std::size_t watch_queue_bytes = limits::kMaxWatchQueueBytes;
};

/// What of that it holds. Never above the bounds when a turn of the loop is over.
struct Held {
  std::size_t proposals = 0;  ///< of callers
  std::size_t proposal_bytes = 0;
  std::uint64_t proposals_taken = 0;          ///< of callers, since the start
  std::size_t largest_watch_queue_bytes = 0;  ///< of those that follow
};

}  // namespace holdfast::node
