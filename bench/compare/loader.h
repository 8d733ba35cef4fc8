#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bench/compare/peer.h"
#include "bench/load.h"

namespace holdfast::bench {

/// Connects to the service. Throws a std::exception that says why it cannot.
using OpenPeer = std::function<std::unique_ptr<Peer>(const Load& load)>;

/// The program of a loader: holdfast-bench's options and output, for a service called `service`; operations
/// that it does not know are refused. Returns: the exit status.
int load_peer(int argc, char** argv, const std::string& service, const OpenPeer& open);

}  // namespace holdfast::bench
