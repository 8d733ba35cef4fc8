#pragma once

#include <functional>

#include "base/result.h"
#include "bench/compare/peer.h"
#include "bench/load.h"

namespace holdfast::bench {

/// Each of `load.in_flight` lanes starts its next operation when its last one ended, until `load.total` were
/// started, or, if that is not 0, for `load.duration`. Once nothing was answered for `load.call_timeout`,
/// what is in flight has failed. `progress` is told once a second. Returns: the figures, or why a lane could
/// not be prepared.
Result<Figures> run_closed_loop(const Load& load, Peer& peer,
                                const std::function<void(const Progress&)>& progress);

}  // namespace holdfast::bench
