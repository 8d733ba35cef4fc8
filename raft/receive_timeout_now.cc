#include "raft/election.h"
#include "raft/receive.h"
#include "raft/role.h"

namespace holdfast::raft {

void receive_timeout_now(Replica& replica, MemberId from) {
  // Only the leader of this term may hand it over, and only to one that can take it.
  if (replica.leader != from || !may_campaign(replica)) return;
  campaign_for_transfer(replica);
}

}  // namespace holdfast::raft
