#pragma once

#include <any>
#include <functional>

#include "base/callback.h"
#include "base/result.h"
#include "tests/sim/caller.h"

namespace holdfast::sim {

/// What rpc/ does with a call: a member that does not lead waits for a leader within the call's time and
/// hands the call on to it, once. `work` runs in the leader's process (or where the call came, if that says
/// so itself). Nobody may ever answer.
void enter(const Surroundings& world, Member& member, Duration timeout,
           std::function<void(node::Node&, Callback<void(Result<std::any>)>)> work,
           Callback<void(Result<std::any>)> answered);

/// A queued claim is waited for where it was made.
void acquire_and_wait(const Attempt& attempt, const lock::Acquire& acquire,
                      Callback<void(Result<Token>)> done);

}  // namespace holdfast::sim
