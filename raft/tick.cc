#include "raft/tick.h"

#include <algorithm>

#include "raft/data_ids.h"
#include "raft/election.h"
#include "raft/membership_change.h"
#include "raft/role.h"
#include "raft/transfer.h"

namespace holdfast::raft {

namespace {

/// Since when a majority is silent: the latest instant at which the leader had heard from one.
Instant majority_heard(const Replica& replica) {
  const Leader& leader = *replica.leading();
  return quorum::reached<Instant>(replica.membership(), [&](MemberId id) {
    if (!counts(replica, id)) return Instant();
    return id == replica.options.self ? replica.now : leader.followers.at(id).last_heard;
  });
}

void tick_leader(Replica& replica) {
  Leader& leader = *replica.leading();
  if (leader.transfer && replica.now >= leader.transfer->deadline) {
    leader.transfer.reset();
    // It had the time to hand over; the others will elect whom they like.
    if (is_removed(replica)) return become_follower(replica, replica.hard_state.term, MemberId());
  }
  if (replica.now < leader.next_heartbeat) return;
  // A leader that no majority hears cannot commit; whoever asks should not be kept waiting by it, and members
  // that hear only this leader should be free to elect another. Ref: Diss. §6.2 (check quorum)
  if (replica.now - majority_heard(replica) >= replica.options.election_timeout)
    return become_follower(replica, replica.hard_state.term, MemberId());
  // It cannot count itself, cannot vote, and would answer reads while others write at the pace of its disk.
  // The only voter has nobody to make room for.
  if (disk_is_stalled(replica) && !is_alone(replica)) return abdicate(replica);
  leader.next_heartbeat = replica.now + replica.options.heartbeat_interval;
  leader.heartbeat_due = true;
  if (leader.transfer) leader.transfer->told = false;
}

/// Who may not stand for election notices too that the leader is gone.
void forget_leader(Replica& replica) {
  // A candidate whose own vote is still being written wins once it is, if the others have voted meanwhile.
  if (!std::holds_alternative<Candidate>(replica.role))
    become_follower(replica, replica.hard_state.term, MemberId());
  postpone_election(replica);
}

}  // namespace

void tick(Replica& replica) {
  if (replica.is_leader()) return tick_leader(replica);
  if (replica.now < replica.election_deadline) return;
  if (may_campaign(replica)) return campaign(replica);
  forget_leader(replica);
}

Instant next_tick(const Replica& replica) {
  const Leader* leader = replica.leading();
  if (!leader) return replica.election_deadline;
  Instant due = std::min(leader->next_heartbeat, leader->commit_news_due.value_or(leader->next_heartbeat));
  if (leader->transfer) due = std::min(due, leader->transfer->deadline);
  return due;
}

}  // namespace holdfast::raft
