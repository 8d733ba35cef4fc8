#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "base/ids.h"
#include "raft/types.h"

namespace holdfast::server {

/// Which members do not want to hear from this process. Once they are a majority of those who vote, as far as
/// this member knows, it was removed, or is of another cluster, and goes.
///
/// It may have missed what removed it: then those who have not are its peers still, and refuse it. If what it
/// saw last is a joint membership, it may have been completed or rolled back since, and only the voters of
/// one side may be left: a majority of either is enough. Learners do not count.
class Refusals {
 public:
  void add(MemberId member) { refusing_.insert(member); }
  /// It talks to this process after all.
  void erase(MemberId member) { refusing_.erase(member); }
  /// Of the voters of one side of `membership`, themselves included.
  bool by_majority(const raft::Membership& membership) const;

 private:
  std::size_t count(const std::vector<raft::Member>& voters) const;

  std::set<MemberId> refusing_;
};

}  // namespace holdfast::server
