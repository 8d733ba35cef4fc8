#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "raft/messages.h"
#include "raft/types.h"

/// What happens to a member. docs/RAFT.md tells when a driver gives which.
namespace holdfast::raft {

/// Time has passed; expected at Core::deadline() or soon after.
struct Tick {};
struct Receive {
  Message message;
};
/// Commands to append, in order, at consecutive indexes. Answered by Output::accepted or Output::refused:
/// kNotLeader, kUnavailable (leadership is on its way to another), kOverloaded (too much is uncommitted).
struct Propose {
  std::vector<Blob> commands;
};
/// The Persist with this sequence, and all before it, are durable.
struct Persisted {
  std::uint64_t sequence = 0;
};
/// Is this member still the leader, as of now? Answered by Output::confirmed or Output::unconfirmed under
/// `id`. Ids must increase. All that wait share one round. Ref: Diss. §6.4
struct ConfirmLeadership {
  std::uint64_t id = 0;
};
/// Hands leadership to a voter, or to the best one if `to` is none. Given up after an election timeout.
/// Output::refused if it cannot begin: kNotLeader, kInvalidArgument (`to` is no voter, or this member).
struct TransferLeadership {
  MemberId to;
};
/// Replaces who takes part. Whoever becomes a voter must be a learner that has caught up; several may come
/// and go in one step. An empty data id in `target` stands for the one on record. Answered by
/// Output::accepted with the index of the entry, or by Output::refused: kNotLeader; kUnavailable (not now:
/// the leader has not committed in its own term, another change is open, leadership is on its way to another,
/// a learner has not caught up, a majority of the new voters does not answer); kInvalidArgument (never). Done
/// once an entry of kind kMembership that is not joint is committed at or behind that index. Ref: Raft §6
struct ChangeMembership {
  Membership target;  ///< outgoing_voters empty: the core makes the joint step and leaves it again
};
/// Entries up to and including `through` are in a durable image and need not be kept.
struct Compact {
  Index through;
};
/// A connection to a member was made, and it showed this data id. Given before anything that came over it;
/// and nothing that came over an older connection is stepped after another data id was shown: an
/// acknowledgement of the disk that is gone would be taken for one of the new disk.
struct PeerConnected {
  MemberId member;
  std::string data_id;
};
/// The connection to a member was lost; what was in flight to it may be lost. Lost to the leader, it makes
/// this member ask the others for a pre-vote soon.
struct PeerLost {
  MemberId member;
};
/// The whole of an image is here: may it replace the log? Answered by Output::may_install. If so, the log
/// stands still until Installed or InstallAbandoned is stepped, and the store may begin: nothing that it does
/// for the install must become durable before.
struct BeginInstall {
  Snapshot snapshot;
};
/// The install that may_install allowed is durable: the stored log is empty behind the image.
struct Installed {
  Snapshot snapshot;
};
/// The install that may_install allowed did not happen, and nothing changed in the store: a damaged image.
struct InstallAbandoned {};

using Input =
    std::variant<Tick, Receive, Propose, Persisted, ConfirmLeadership, TransferLeadership, ChangeMembership,
                 Compact, PeerConnected, PeerLost, BeginInstall, Installed, InstallAbandoned>;

}  // namespace holdfast::raft
