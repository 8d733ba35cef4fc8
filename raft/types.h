#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"

namespace holdfast::raft {

/// What an entry carries. Stored and sent: DO NOT CHANGE THE NUMBERS.
enum class EntryKind : std::uint8_t {
  kNoop = 0,        ///< a new leader's first entry. Ref: Raft §8
  kCommand = 1,     ///< opaque to raft; state/ applies it
  kMembership = 2,  ///< a new Membership, encoded
};

struct Entry {
  Term term;
  Index index;
  EntryKind kind = EntryKind::kCommand;
  Blob payload;

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// What must be durable before a message that depends on it is sent; always written together. Ref: Raft fig.
/// 2
struct HardState {
  Term term;
  MemberId voted_for;  ///< none if zero

  friend bool operator==(const HardState&, const HardState&) = default;
};

struct Member {
  MemberId id;
  std::string name;
  std::string peer_address;  ///< "host:port" where other members reach it
  /// The UUID of its data directory, so that a wiped disk does not vote under its old id; empty while it is
  /// not known.
  std::string data_id = {};

  friend bool operator==(const Member&, const Member&) = default;
};

/// Who takes part. A joint membership has voters on both sides, and a decision needs a majority of each.
/// Ref: Raft §6
struct Membership {
  std::vector<Member> voters;
  std::vector<Member> outgoing_voters;  ///< not empty only while joint
  std::vector<Member> learners;         ///< receive entries, do not count

  friend bool operator==(const Membership&, const Membership&) = default;
};

/// What an image stands for: everything up to `index`, an entry of `term`, and who took part as of it.
/// Ref: Raft §7
struct Snapshot {
  Index index;
  Term term;
  Membership membership;

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

}  // namespace holdfast::raft
