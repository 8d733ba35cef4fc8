#pragma once

/// What the process asks of its allocator, mimalloc; with another one these do nothing. A burst of writes
/// takes memory for the log, the history and what is under way that is all free some seconds later, and
/// without a word it would stay with the process: docs/decisions/0033-memory-of-a-key.md
namespace holdfast::server {

/// Free memory is to be given back soon after it came together. Once, at the start.
void tune_memory();
/// Gives back what is free. Thread: the loop's, which owns nearly all of it. Cost: a pass over the
/// allocator's pages, under a millisecond for a hundred megabytes.
void give_back_memory();

}  // namespace holdfast::server
