#include "raft/receive.h"

namespace holdfast::raft {

void receive_install_reply(Replica& replica, MemberId from, const InstallReply& reply) {
  Progress* progress = replica.follower(from);
  if (!progress) return;
  progress->last_heard = replica.now;
  progress->has_answered = true;
  replica.output.snapshot_replies.push_back({from, reply});
}

}  // namespace holdfast::raft
