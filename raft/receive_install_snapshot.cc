#include "raft/follow.h"
#include "raft/receive.h"
#include "raft/snapshot.h"

namespace holdfast::raft {

void receive_install_snapshot(Replica& replica, MemberId from, const InstallSnapshot& piece) {
  if (!follow(replica, from)) return;
  if (replica.installing) return;  // its outcome is the answer
  if (has(replica, piece.snapshot)) return answer_that_it_is_here(replica, from, piece.snapshot);
  replica.output.snapshot_chunks.push_back({from, piece});
}

}  // namespace holdfast::raft
