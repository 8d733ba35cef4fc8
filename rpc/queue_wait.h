#pragma once

#include <optional>

#include "base/result.h"
#include "lock/lock_table.h"
#include "node/node.h"
#include "rpc/call.h"
#include "schema/api.capnp.h"
#include "state/reply.h"

namespace holdfast::rpc {

/// What a proposed acquire came to: the grant, or none yet, and its place in the queue.
/// Errors: of Node::propose, of the lock table.
Result<std::optional<node::Grant>> outcome_of_acquire(const state::Reply& reply);

/// Whoever waits for a claim's turn. The last step of a handover has no promise in it: the next holder's
/// answer is made when the release is applied, before the releaser's own. Who holds the lock is who the
/// others wait for; the releaser's next acquire should not be on its way to the disk before the holder's
/// release.
using AcquirePending = Call<schema::Locks::AcquireParams, schema::Locks::AcquireResults>::Pending;

/// Ends the call as the claim ends its wait. A call that is dropped ends only the waiting here: the claim
/// stays, and asking again meets it. Errors: of Grants; kNotLeader when this member stops leading.
void wait_in_queue(node::Node& node, const lock::Acquire& acquire, AcquirePending pending);

void end_with(const Result<node::Grant>& grant, AcquirePending& pending);

}  // namespace holdfast::rpc
