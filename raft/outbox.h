#pragma once

#include "raft/replica.h"

/// How a step's effects are gathered.
namespace holdfast::raft {

/// A message of the current term that may leave at once.
void send(Replica& replica, MemberId to, Body body);
/// The same in another term: a pre-vote speaks of the term it would be.
void send_in_term(Replica& replica, MemberId to, Term term, Body body);
/// A message that promises something: it leaves only after everything handed out so far, and whatever this
/// step changes, is durable.
void send_after_persist(Replica& replica, MemberId to, Body body);

/// Closes the step: hands out to be written what changed in memory, and the entries that became committed.
Output finish(Replica& replica);

}  // namespace holdfast::raft
