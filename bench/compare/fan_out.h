#pragma once

#include <functional>

#include "base/result.h"
#include "bench/compare/peer.h"
#include "bench/load.h"

namespace holdfast::bench {

/// `load.watchers` watchers of one key and one writer, who writes again when all were told of the last value,
/// until there were `load.total` writes or, if that is not 0, for `load.duration`. What is counted, and timed
/// from just before the write, is that a watcher has a value. Once nothing arrived for `load.call_timeout`,
/// what is missing counts as errors. Returns: the figures, or why the watches could not begin.
Result<Figures> run_fan_out(const Load& load, Peer& peer,
                            const std::function<void(const Progress&)>& progress);

}  // namespace holdfast::bench
