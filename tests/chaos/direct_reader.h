#pragma once

#include <functional>

#include "tests/chaos/workload.h"

namespace holdfast::chaos {

/// Reads keys from one member and never from another one, over the API itself, with several calls in flight:
/// what a client of the SDK, which follows the leader, would not do. A call may wait in a stopped member's
/// socket and be answered long after the cluster went on without it. `job.endpoints`: of that member.
void read_directly(const Job& job, std::size_t keys);

/// Everything that one member has, as records of kFinal (one without a key first), from its own state without
/// asking the others: once that state has reached `revision`. Errors: kUnavailable if it does not within
/// `limit`.
Result<std::vector<Record>> read_state(const std::string& endpoint, std::uint32_t client,
                                       std::uint64_t revision, milliseconds limit);

/// One linearizable read of a key from one member, sent over a connection made before: `while_sent` runs when
/// the request is on its way, and before anything is waited for. Errors: kUnavailable: no answer within
/// `limit`.
Result<Record> read_once(const std::string& endpoint, const std::string& key, milliseconds limit,
                         const std::function<void()>& before, const std::function<void()>& while_sent);

}  // namespace holdfast::chaos
