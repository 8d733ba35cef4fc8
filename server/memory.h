#pragma once

#include "node/ports/loop.h"

namespace holdfast::server {

/// What the process asks of its allocator, mimalloc; with another one this does nothing. A burst of writes
/// takes memory for the log, the history and what is under way, which is all free some seconds later.
/// mimalloc gives free memory back some milliseconds after it came free, but only when more comes free in the
/// same 32 MiB; while writes come that is as it should be, and after the last of them it stays. So it is
/// given back at once when the load is light, and when there is none, what was passed over is looked for.
/// That takes some milliseconds, once, five seconds after the last image. Ref:
/// docs/decisions/0033-memory-of-a-key.md
///
/// Thread: the loop's, which owns nearly all of it.
void manage_memory(node::Load load);

}  // namespace holdfast::server
