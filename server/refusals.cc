#include "server/refusals.h"

#include <algorithm>

namespace holdfast::server {

bool Refusals::by_majority(const raft::Membership& membership) const {
  return count(membership.voters) > membership.voters.size() / 2 ||
         count(membership.outgoing_voters) > membership.outgoing_voters.size() / 2;
}

std::size_t Refusals::count(const std::vector<raft::Member>& voters) const {
  return static_cast<std::size_t>(
      std::count_if(voters.begin(), voters.end(),
                    [this](const raft::Member& voter) { return refusing_.contains(voter.id); }));
}

}  // namespace holdfast::server
