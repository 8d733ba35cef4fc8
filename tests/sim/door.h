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

/// A linearizable read. `done` gets the revision that it saw.
void read_linearizably(const Surroundings& world, const Attempt& attempt,
                       Callback<void(Result<Revision>)> done);

/// What a member said to a keepalive that came at `arrived`: more than a client, which does not know when
/// that was, counts on. TTL zero: the lease has ended.
struct Kept {
  Instant arrived;
  milliseconds ttl{0};
};
void keep_alive(const Surroundings& world, node::Node& node, Duration timeout, LeaseId lease,
                Callback<void(Result<Kept>)> done);

/// A queued claim is waited for where it was made.
void acquire_and_wait(const Attempt& attempt, const lock::Acquire& acquire,
                      Callback<void(Result<Token>)> done);

}  // namespace holdfast::sim
