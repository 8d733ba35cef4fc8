#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace holdfast::chaos {

/// What can be done to a cluster. docs/TESTING.md says what each is.
enum class FaultKind {
  kKillLeader,
  kKillFollower,
  kKillAll,
  kPauseLeader,
  kPauseFollower,
  kPauseHolder,
  kIsolateLeader,
  kLeaderDeaf,
  kLeaderMute,
  kCutClients,
  kBridge,
  kSlowNetwork,
  kThrottle,
  kResets,
  kHalfOpen,
  kRollingRestart,
  kFullDisk,
  kFillingDisk,
  kTransfer,
  kAddMember,
  kRemoveMember,
  kReplaceMember,
};

std::string name_of(FaultKind kind);
/// Every kind, in the order of their numbers.
std::vector<FaultKind> all_faults();
/// Returns: false if there is no such fault.
bool read_fault(const std::string& name, FaultKind& kind);

/// One line of a schedule.
struct Fault {
  FaultKind kind = FaultKind::kKillLeader;
  milliseconds duration{2000};
  milliseconds rest{500};      ///< after it, when the cluster has recovered
  bool reset_on_heal = false;  ///< what was held is lost, instead of arriving late
  std::uint64_t choice = 0;    ///< decides between members where there are several
};

/// A deck of the kinds is shuffled and dealt, again and again: the same seed gives the same schedule.
class Schedule {
 public:
  Schedule(std::uint64_t seed, std::vector<FaultKind> kinds);
  Fault next();

 private:
  Random random_;
  const std::vector<FaultKind> kinds_;
  std::vector<FaultKind> deck_;
};

}  // namespace holdfast::chaos
