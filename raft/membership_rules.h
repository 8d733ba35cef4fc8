#pragma once

#include <optional>

#include "base/result.h"
#include "raft/replica.h"

/// What a change of membership must fulfil. Ref: Raft §6, Diss. §4
namespace holdfast::raft {

/// Returns: why no change whatever may begin now; none if one may.
std::optional<Error> why_not_now(const Replica& replica);

/// Returns: why `target` may not be the next membership; none if it may. Requires: the replica leads, and
/// keep_data_ids() was done.
std::optional<Error> why_not(const Replica& replica, const Membership& target);

/// Whoever changes the membership need not know data ids: where `target` has none, it gets what is on record.
void keep_data_ids(Membership& target, const Membership& current);

}  // namespace holdfast::raft
