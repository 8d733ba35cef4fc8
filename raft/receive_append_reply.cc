#include <algorithm>

#include "raft/receive.h"
#include "raft/replication.h"

namespace holdfast::raft {

namespace {

/// The follower does not have the entry at `reply.index`; its hint is the last one it has whose term is not
/// above the one asked about. Entries of this log up to there with a higher term than the hint's cannot match
/// either, so they are skipped too: each answer skips at least a term. Ref: Raft §5.3
Index retry_after(const Log& log, const AppendReply& reply) {
  const Index hint = std::min(reply.hint_index, reply.index.previous());
  return log.last_not_after(hint, reply.hint_term).next();
}

}  // namespace

void receive_append_reply(Replica& replica, MemberId from, const AppendReply& reply) {
  Progress* known = replica.follower(from);
  if (!known) return;
  if (reply.index > replica.log.last_index() || reply.round > replica.last_round) return;
  Progress& progress = *known;
  progress.last_heard = replica.now;
  progress.has_answered = true;
  progress.confirmed_round = std::max(progress.confirmed_round, reply.round);
  if (!reply.accepted) {
    if (reply.index) progress.rejected(reply.index, retry_after(replica.log, reply));
    return;
  }
  if (!progress.accepted(reply.index, replica.log.base_index())) return;
  // It installed an image, but the log was compacted beyond that one meanwhile: it needs another.
  if (progress.pace() == Pace::kNeedsSnapshot) replica.output.need_snapshot.push_back(from);
  advance_commit(replica);
  advance_held_by_all(replica);
}

}  // namespace holdfast::raft
