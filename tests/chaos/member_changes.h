#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tests/chaos/members.h"

namespace holdfast::chaos {

/// One change of who votes.
struct MemberChange {
  enum class Kind { kPromote, kRemove, kReplace };
  Kind kind = Kind::kPromote;
  std::string gone;     ///< who is removed, or replaced
  std::string come;     ///< who is promoted, or takes over
  std::string address;  ///< where `come` listens for peers
};

/// Asks for the change, whatever goes wrong on the way, until the members say that it has come about: answers
/// are not believed, for some of them are unknown. `endpoints`: of members. Thread: any.
/// Errors: kUnavailable with what was last said, if that takes longer than `limit`.
Result<void> carry_out(const MemberChange& change, const std::vector<std::string>& endpoints,
                       milliseconds limit);

/// A new server comes into the cluster through an empty place, as a learner. Returns: the place.
/// Errors: kUnavailable with what went wrong.
Result<std::size_t> bring_in(Members& members, milliseconds limit);

/// A member that was removed, and is not cut off from the others, ends by itself, and says why.
/// Afterwards its place is empty. Errors: kUnavailable: it does not.
Result<void> see_off(Members& members, std::size_t place, milliseconds limit);

}  // namespace holdfast::chaos
