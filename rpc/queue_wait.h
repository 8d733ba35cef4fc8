#pragma once

#include <kj/async.h>

#include <optional>

#include "base/result.h"
#include "lock/lock_table.h"
#include "node/node.h"
#include "state/reply.h"

namespace holdfast::rpc {

/// What a proposed acquire came to: the grant, or none yet, and its place in the queue.
/// Errors: of Node::propose, of the lock table.
Result<std::optional<node::Grant>> outcome_of_acquire(const state::Reply& reply);

/// Waits in the queue as long as the claim does. Dropping the promise ends only the waiting here: the claim
/// stays, and asking again meets it. Errors: of Grants; kNotLeader when this member stops leading.
kj::Promise<Result<node::Grant>> wait_in_queue(node::Node& node, const lock::Acquire& acquire);

}  // namespace holdfast::rpc
