#pragma once

#include <string_view>

namespace holdfast::sim {

/// What is promised whatever happens, and checked after every step, with every committed entry, whenever a
/// client hears something, and when the world is at rest.
enum class Invariant {
  kElectionSafety,      ///< one leader a term
  kLogMatching,         ///< index and term decide an entry and what is before it
  kLeaderCompleteness,  ///< who leads has what is committed, and nobody overwrites that
  kStateMachineSafety,  ///< the same entry at an index, and the same state after it, on every member
  kMonotone,            ///< term, commit, applied and revision never go back
  kDurability,          ///< committed is durable on a quorum; a restart finds what belongs together
  kMutualExclusion,     ///< one holder, by the log and by what holders believe
  kTokenOrder,          ///< tokens increase, and each is one grant's
  kQueueOrder,          ///< grants in the order of asking
  kLeaseLowerBound,     ///< no lease ends before its last acknowledged renewal and its TTL
  kDeadLease,           ///< nothing is given to a lease that has ended, nor is it kept alive
  kExactlyOnce,         ///< a (session, sequence) runs once
  kHonestOutcome,       ///< acknowledged is done, refused is not
  kConditionalWrite,    ///< a write under a condition takes effect only if that holds
  kLinearizableRead,    ///< a read sees all that was known before it began
  kWatch,               ///< every change once, in order, without a gap
  kBoundedMemory,       ///< what grows has a bound
  kDiskSpace,           ///< whoever is short of space takes no writes
  kProgress,            ///< a healed world goes on
  kConvergence,         ///< and comes to rest, alike everywhere
  kNoOrphan,            ///< nothing is left that nobody wants
  kAssertion,           ///< the code itself found that it was wrong: no promise of this list
};

/// As a table shows it: "election safety".
std::string_view name_of(Invariant invariant);

}  // namespace holdfast::sim
