#pragma once

#include <vector>

#include "tests/chaos/audit.h"

namespace holdfast::chaos {

/// The rules of judge() that hold what the watchers saw against itself, against the answers of calls, against
/// the leases, and against what is there in the end. Every watcher is expected to have watched everything
/// that the history's writes touch, from before the first of them until after the last.
void check_watches(const std::vector<Record>& history, Judgement& judgement);

}  // namespace holdfast::chaos
