#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/chaos/members.h"
#include "tests/chaos/waiting.h"

namespace holdfast::chaos {

/// Kills the leader of three members at default timeouts with SIGKILL, `kills` times, under a light load, and
/// measures the time from each kill to the first acknowledgement of a write that was called after it. Nothing
/// is between the processes. Returns: the times, in the order of the kills. Errors: kUnavailable: a kill
/// after which nothing was acknowledged for half a minute, or no leader to kill.
Result<std::vector<milliseconds>> measure_failover(const std::string& server_program,
                                                   const std::string& directory, std::size_t kills,
                                                   const Stop& stop,
                                                   const std::function<void(const std::string&)>& progress);

/// "kills=20 median_ms=... min_ms=... max_ms=...".
std::string failover_summary(std::vector<milliseconds> times);

}  // namespace holdfast::chaos
