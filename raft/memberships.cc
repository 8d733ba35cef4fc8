#include "raft/memberships.h"

#include <algorithm>

#include "base/canary.h"
#include "base/check.h"

namespace holdfast::raft {

const std::shared_ptr<const Membership>& Memberships::at(Index index) const {
  const auto stand =
      std::find_if(stands_.rbegin(), stands_.rend(), [&](const Stand& one) { return one.index <= index; });
  INVARIANT(stand != stands_.rend(), "the membership below the log's base is not known");
  return stand->membership;
}

void Memberships::appended(const Entry& entry) {
  INVARIANT(entry.membership, "a membership entry carries a membership");
  INVARIANT(entry.index > index(), "memberships follow each other like their entries");
  stands_.push_back({entry.index, entry.membership});
}

void Memberships::truncated(Index last) {
  if (HOLDFAST_CANARY(membership_outlives_its_entry)) {
    for (Stand& stand : stands_) stand.index = std::min(stand.index, last);
    return;
  }
  while (stands_.size() > 1 && stands_.back().index > last) stands_.pop_back();
}

void Memberships::compacted(Index through) {
  while (stands_.size() > 1 && stands_[1].index <= through) stands_.pop_front();
}

}  // namespace holdfast::raft
