#pragma once

#include "raft/replica.h"

/// What happens because time passes.
namespace holdfast::raft {

void tick(Replica& replica);

/// When tick has something to do next.
Instant next_tick(const Replica& replica);

}  // namespace holdfast::raft
