#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "bench/compare/peer.h"
#include "bench/load.h"

namespace holdfast::bench {

/// Connects to the service. Throws a std::exception that says why it cannot.
using OpenPeer = std::function<std::unique_ptr<Peer>(const Load& load)>;

/// `load.in_flight` clients that write without pause for `load.duration`, each with a thread and a connection
/// of its own: it stays with its member until a write is not acknowledged within `load.call_timeout`,
/// connecting included, and then goes on to the next. Meanwhile `load.kill_pid` is struck. Returns: the
/// figures and gaps, or why nothing was measured.
Result<Figures> run_failover(const Load& load, const OpenPeer& open,
                             const std::function<void(const Progress&)>& progress);

}  // namespace holdfast::bench
