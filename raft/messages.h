#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "raft/types.h"

/// What members say to each other. On the wire: schema/peer.capnp.
namespace holdfast::raft {

/// Asks for a vote; with `pre_vote`, asks whether one would be given, changing nothing. Ref: Raft §5.2, Diss.
/// §9.6
struct RequestVote {
  bool pre_vote = false;
  bool transfer =
      false;  ///< told to campaign by the leader: voters do not protect that leader. Ref: Diss. §4.2.3
  Index last_index;
  Term last_term;
  /// What the candidate's membership in force has as the receiver's data id; empty if nothing. A member whose
  /// own log does not show that it is known grants its vote only to a candidate whose log does.
  /// Ref: docs/RAFT.md, "Data ids"
  std::string recorded_data_id = {};
  friend bool operator==(const RequestVote&, const RequestVote&) = default;
};

struct VoteReply {
  bool pre_vote = false;
  bool granted = false;
  /// Of the voter, when it helps to found a cluster: whoever is elected with an empty log must put on record
  /// whose votes elected it, and may not have heard that from a connection.
  std::string data_id = {};
  friend bool operator==(const VoteReply&, const VoteReply&) = default;
};

/// Also the heartbeat, when it carries no entries. Ref: Raft §5.3
struct AppendEntries {
  Index previous_index;
  Term previous_term;
  Index commit;
  /// The leader's confirmation round: a reply that echoes it proves that the receiver still followed this
  /// leader after the round began. Ref: Diss. §6.4 (ReadIndex)
  std::uint64_t round = 0;
  /// Every member has its log up to here. Advice: whoever keeps its log from here on spares others a
  /// snapshot.
  Index held_by_all;
  std::vector<Entry> entries;
  friend bool operator==(const AppendEntries&, const AppendEntries&) = default;
};

struct AppendReply {
  bool accepted = false;
  /// Accepted: the last index now known to match, and durable. Rejected: the previous_index that did not
  /// match.
  Index index;
  /// Rejected: the receiver's hint where to try next, see raft/replication. Ref: Raft §5.3, fast back-off
  Index hint_index;
  Term hint_term;
  std::uint64_t round = 0;  ///< echoed
  friend bool operator==(const AppendReply&, const AppendReply&) = default;
};

/// Tells the receiver to campaign at once. Ref: Diss. §3.10
struct TimeoutNow {
  friend bool operator==(const TimeoutNow&, const TimeoutNow&) = default;
};

/// A piece of an image, for a follower that needs entries which are compacted. Made and taken by the node;
/// the core sees to it that it comes from the leader of the current term. Ref: Raft §7
struct InstallSnapshot {
  Snapshot snapshot;
  std::string digest;      ///< of the whole image
  std::uint64_t size = 0;  ///< of the whole image, in bytes
  std::uint64_t offset = 0;
  Blob data;  ///< the bytes from `offset` on
  friend bool operator==(const InstallSnapshot&, const InstallSnapshot&) = default;
};

/// How far a follower is with an image. That it is installed is said by an accepting AppendReply.
struct InstallReply {
  Index index;                    ///< of the image
  std::uint64_t next_offset = 0;  ///< the first byte it lacks
  bool refused = false;           ///< it cannot take this image; try another, or later
  friend bool operator==(const InstallReply&, const InstallReply&) = default;
};

using Body = std::variant<RequestVote, VoteReply, AppendEntries, AppendReply, TimeoutNow, InstallSnapshot,
                          InstallReply>;

struct Message {
  MemberId from;
  MemberId to;
  Term term;
  Body body;
  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace holdfast::raft
