#pragma once

#include <deque>
#include <memory>

#include "raft/types.h"

namespace holdfast::raft {

/// Which membership is in force at which place of the log: the one at its base, and one for each membership
/// entry behind it. A membership holds from where its entry stands, committed or not, so that a majority of
/// the new one decides about it too; and it is taken back with its entry. Ref: Raft §6
class Memberships {
 public:
  /// Requires: the log begins behind `index`.
  Memberships(Index index, std::shared_ptr<const Membership> at_base) {
    stands_.push_back({index, std::move(at_base)});
  }

  const std::shared_ptr<const Membership>& in_force() const { return stands_.back().membership; }
  /// Where in_force() comes from.
  Index index() const { return stands_.back().index; }
  /// Requires: index is not below the base.
  const std::shared_ptr<const Membership>& at(Index index) const;

  /// The newest membership, of those in force at `index` and since, that `fits`; none if none does. What is
  /// not known to be committed may turn out either way: so any of these may be the one that holds.
  template <typename Fits>
  const Membership* newest_since(Index index, Fits&& fits) const {
    for (auto stand = stands_.rbegin(); stand != stands_.rend(); ++stand) {
      if (fits(*stand->membership)) return stand->membership.get();
      if (stand->index <= index) break;
    }
    return nullptr;
  }

  /// Requires: entry.membership is set and the entry stands behind the others.
  void appended(const Entry& entry);
  /// The log was cut behind `last`. Requires: last is not below the base.
  void truncated(Index last);
  /// The log begins behind `through` now.
  void compacted(Index through);

 private:
  struct Stand {
    Index index;
    std::shared_ptr<const Membership> membership;
  };

  std::deque<Stand> stands_;  // indexes increase; the first is the one at the base and always there
};

}  // namespace holdfast::raft
