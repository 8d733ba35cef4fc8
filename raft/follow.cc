#include "raft/follow.h"

#include <algorithm>

#include "base/canary.h"
#include "raft/outbox.h"
#include "raft/role.h"

namespace holdfast::raft {

bool follow(Replica& replica, MemberId from) {
  if (replica.leader && replica.leader != from) return false;
  if (!replica.leader) become_follower(replica, replica.hard_state.term, from);
  replica.heard_from_leader = replica.now;
  replica.has_known_leader = true;
  replica.suspects = false;
  postpone_election(replica);
  return true;
}

void acknowledge(Replica& replica, MemberId leader, Index matching, std::uint64_t round) {
  if (HOLDFAST_CANARY(acknowledge_before_durable))
    return send(replica, leader, AppendReply{true, matching, Index(), Term(), round});
  const bool adds = replica.persistence.handed_out() < matching;
  if (adds || replica.hard_state_changed || !replica.persistence.hard_state_durable())
    return send_after_persist(replica, leader, AppendReply{true, matching, Index(), Term(), round});
  const Index durable = std::min(matching, replica.persistence.durable());
  send(replica, leader, AppendReply{true, durable, Index(), Term(), round});
}

}  // namespace holdfast::raft
