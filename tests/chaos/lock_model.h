#pragma once

#include <cstdint>
#include <vector>

#include "tests/chaos/linearizability.h"

namespace holdfast::chaos {

/// What happened to one lock.
struct LockOperation {
  enum class Kind {
    kGrant,    ///< an acquire was answered with the token
    kRelease,  ///< a release of the token was acknowledged
    kEnd,   ///< the grant ended without an acknowledged release; called when its holder's safe time was over
    kLook,  ///< the holders were asked for: the one with the token, or nobody (0)
  };
  Kind kind = Kind::kLook;
  std::uint64_t token = 0;
};

/// An exclusive lock as a sequential object: at most one holder, and every grant has a larger token than the
/// one before. A grant without an acknowledged release is ended by an open kEnd, whose call is the moment
/// until which its holder was told that it is safe: no other grant can be placed before it.
class LockModel {
 public:
  struct State {
    std::uint64_t holder = 0;  ///< its token; 0: free
    std::uint64_t last = 0;    ///< the last grant's token
    bool operator==(const State&) const = default;
    std::uint64_t hash() const { return holder * 0x9e3779b97f4a7c15 ^ last; }
  };

  void step(const State& state, const LockOperation& operation, std::vector<State>& next) const;
};

/// Requires: the operations are of one lock.
Search check_lock(const std::vector<Interval<LockOperation>>& history, std::uint64_t most_steps);

}  // namespace holdfast::chaos
