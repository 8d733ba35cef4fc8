#include "raft/snapshot.h"

#include <memory>
#include <utility>

#include "base/canary.h"
#include "base/check.h"
#include "raft/follow.h"
#include "raft/replication.h"
#include "raft/role.h"

namespace holdfast::raft {

bool has(const Replica& replica, const Snapshot& snapshot) {
  return snapshot.index <= replica.commit || replica.log.matches(snapshot.index, snapshot.term);
}

void answer_that_it_is_here(Replica& replica, MemberId leader, const Snapshot& snapshot) {
  commit_up_to(replica, std::max(replica.commit, snapshot.index));
  acknowledge(replica, leader, replica.commit, 0);
}

void begin_install(Replica& replica, Snapshot snapshot) {
  if (replica.is_leader() || replica.installing || snapshot.term > replica.hard_state.term) return;
  if (has(replica, snapshot)) {
    if (replica.leader) answer_that_it_is_here(replica, replica.leader, snapshot);
    return;
  }
  // A candidate would have to append if it won.
  if (!std::holds_alternative<Follower>(replica.role))
    become_follower(replica, replica.hard_state.term, MemberId());
  replica.installing = std::move(snapshot);
  replica.output.may_install = true;
}

void installed(Replica& replica, const Snapshot& snapshot) {
  INVARIANT(replica.installing == snapshot, "an image was installed that the core did not allow");
  INVARIANT(snapshot.index > replica.commit, "an image took back what was committed here");
  replica.installing.reset();
  const Membership membership =
      HOLDFAST_CANARY(snapshot_without_its_membership) ? replica.membership() : snapshot.membership;
  replica.log = Log(snapshot.index, snapshot.term, std::make_shared<const Membership>(membership), {});
  replica.persistence.installed(snapshot.index);
  replica.commit = snapshot.index;
  replica.handed_out = snapshot.index;
  if (replica.leader) acknowledge(replica, replica.leader, snapshot.index, 0);
}

void install_abandoned(Replica& replica) { replica.installing.reset(); }

}  // namespace holdfast::raft
