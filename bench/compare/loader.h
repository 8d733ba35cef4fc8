#pragma once

#include <string>

#include "bench/compare/failover.h"

namespace holdfast::bench {

/// The program of a loader: holdfast-bench's options and output, for a service called `service`; operations
/// that it does not know are refused. Returns: the exit status.
int load_peer(int argc, char** argv, const std::string& service, const OpenPeer& open);

}  // namespace holdfast::bench
