#include "raft/transfer.h"

#include "raft/outbox.h"

namespace holdfast::raft {

namespace {

MemberId furthest_voter(const Replica& replica) {
  MemberId best;
  const Progress* furthest = nullptr;
  for (const auto& [id, progress] : replica.leading()->followers) {
    if (!is_voter(replica.membership, id)) continue;
    // One that was silent for an election timeout is likely down, however complete its log.
    if (replica.now - progress.last_heard >= replica.options.election_timeout) continue;
    if (furthest && progress.match() <= furthest->match()) continue;
    best = id;
    furthest = &progress;
  }
  return best;
}

}  // namespace

void begin_transfer(Replica& replica, MemberId to) {
  Leader* leader = replica.leading();
  if (!leader) return;
  if (!to) to = leader->transfer ? leader->transfer->to : furthest_voter(replica);
  if (to == replica.options.self || !is_voter(replica.membership, to)) return;
  if (leader->transfer && leader->transfer->to == to) return;
  leader->transfer = Transfer{to, replica.now + replica.options.election_timeout};
}

void advance_transfer(Replica& replica) {
  Leader& leader = *replica.leading();
  if (!leader.transfer || leader.transfer->told) return;
  if (leader.followers.at(leader.transfer->to).match() != replica.log.last_index()) return;
  leader.transfer->told = true;
  send(replica, leader.transfer->to, TimeoutNow());
}

}  // namespace holdfast::raft
