#pragma once

#include <kj/async.h>

#include "base/result.h"
#include "base/time.h"
#include "lock/lock_table.h"
#include "node/node.h"
#include "state/command.h"

namespace holdfast::rpc {

/// Proposes the acquire, within `within`, and waits in the queue as long as the claim does. Dropping the
/// promise ends only the waiting here: the claim stays, and asking again meets it.
/// Errors: of Node::propose, of the lock table, of Grants; kNotLeader when this member stops leading.
kj::Promise<Result<node::Grant>> ask_for_lock(node::Node& node, const lock::Acquire& acquire,
                                              state::Stamp stamp, Duration within);

}  // namespace holdfast::rpc
