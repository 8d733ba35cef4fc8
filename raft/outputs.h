#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "raft/messages.h"
#include "raft/types.h"

/// What is to be done. docs/RAFT.md tells what a driver does with which.
namespace holdfast::raft {

/// To be made durable, in the order of `sequence`; entries replace whatever the stored log has from the first
/// entry's index on. `then_send` only after it is durable; then step(Persisted{sequence}).
struct Persist {
  std::uint64_t sequence = 0;
  std::optional<HardState> hard_state;
  std::vector<Entry> entries;
  std::vector<Message> then_send;
};

/// Where the proposed commands went: the first at `first`, the others behind it, all in `term`.
struct Accepted {
  Index first;
  Term term;
};

/// This member was the leader after the question `id` came in, and all that was acknowledged by then is at or
/// below `read_index`: a read that waits until it is applied is linearizable.
struct Confirmed {
  std::uint64_t id = 0;
  Index read_index;
};

/// What changed for whoever watches this member.
struct RoleChanged {
  Role role = Role::kFollower;
  Term term;
  MemberId leader;  ///< none while unknown
};

/// A piece of an image from the leader of the current term, of an image that this member can use.
struct SnapshotChunk {
  MemberId from;
  InstallSnapshot piece;
};

/// A follower's word on the image it is being sent; this member leads.
struct SnapshotReply {
  MemberId from;
  InstallReply reply;
};

/// The parts are independent, except that `send` may go at once, even before `persist` is written.
struct Output {
  std::optional<Persist> persist;
  std::vector<Message> send;
  std::vector<Entry> committed;  ///< in order, each entry exactly once
  /// Propose or ChangeMembership, the input of this step, was taken...
  std::optional<Accepted> accepted;
  /// ...or it was not, or TransferLeadership was not, for this reason; nothing changed.
  std::optional<Error> refused;
  std::vector<Confirmed> confirmed;
  std::vector<std::uint64_t> unconfirmed;
  std::optional<RoleChanged> role_changed;  ///< role, term or leader differ from before
  /// The membership in force differs from before: taken up, or taken back because its entry was truncated.
  std::shared_ptr<const Membership> membership_changed;
  /// Followers that newly need an image, because what they need next was compacted here; this member leads.
  std::vector<MemberId> need_snapshot;
  std::vector<SnapshotChunk> snapshot_chunks;
  std::vector<SnapshotReply> snapshot_replies;
  bool may_install = false;  ///< the answer to BeginInstall
};

}  // namespace holdfast::raft
