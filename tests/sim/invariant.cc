#include "tests/sim/invariant.h"

namespace holdfast::sim {

std::string_view name_of(Invariant invariant) {
  switch (invariant) {
    case Invariant::kElectionSafety:
      return "election safety";
    case Invariant::kLogMatching:
      return "log matching";
    case Invariant::kLeaderCompleteness:
      return "leader completeness";
    case Invariant::kStateMachineSafety:
      return "state machine safety";
    case Invariant::kMonotone:
      return "monotone";
    case Invariant::kDurability:
      return "durability";
    case Invariant::kMutualExclusion:
      return "mutual exclusion";
    case Invariant::kTokenOrder:
      return "token order";
    case Invariant::kQueueOrder:
      return "queue order";
    case Invariant::kLeaseLowerBound:
      return "lease lower bound";
    case Invariant::kDeadLease:
      return "no grant to a dead lease";
    case Invariant::kExactlyOnce:
      return "exactly once";
    case Invariant::kHonestOutcome:
      return "honest outcomes";
    case Invariant::kConditionalWrite:
      return "conditional writes";
    case Invariant::kLinearizableRead:
      return "linearizable reads";
    case Invariant::kWatch:
      return "watches";
    case Invariant::kBoundedMemory:
      return "bounded memory";
    case Invariant::kDiskSpace:
      return "disk space";
    case Invariant::kProgress:
      return "progress";
    case Invariant::kConvergence:
      return "convergence";
    case Invariant::kNoOrphan:
      return "no orphans";
    case Invariant::kAssertion:
      break;
  }
  return "assertion";
}

}  // namespace holdfast::sim
