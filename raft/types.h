#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"

namespace holdfast::raft {

/// What an entry carries. Stored and sent: DO NOT CHANGE THE NUMBERS.
enum class EntryKind : std::uint8_t {
  kNoop = 0,        ///< a new leader's first entry. Ref: Raft §8
  kCommand = 1,     ///< opaque to raft; state/ applies it
  kMembership = 2,  ///< a new Membership: in force from when it is appended on, not from when it is committed
};

struct Member {
  MemberId id;
  std::string name;
  std::string peer_address;  ///< "host:port" where other members reach it
  /// The UUID of its data directory: 32 hexadecimal digits; empty until the member has shown it for the first
  /// time. Once it is known the id stands for that directory only: see docs/RAFT.md, "Data ids".
  std::string data_id = {};

  friend bool operator==(const Member&, const Member&) = default;
};

/// Who takes part. A joint membership has voters on both sides, and a decision needs a majority of each.
/// Ref: Raft §6
struct Membership {
  std::vector<Member> voters;
  std::vector<Member> outgoing_voters;  ///< not empty only while joint
  std::vector<Member> learners;         ///< receive entries, do not count

  bool is_joint() const { return !outgoing_voters.empty(); }
  friend bool operator==(const Membership&, const Membership&) = default;
};

/// More voters only make every decision wait for more of them.
constexpr std::size_t kMaxVoters = 7;
constexpr std::size_t kMaxLearners = 7;

struct Entry {
  Term term;
  Index index;
  EntryKind kind = EntryKind::kCommand;
  Blob payload;
  /// Set exactly when kind is kMembership; the payload is empty then. How it is encoded is the rims' affair:
  /// schema/membership.h. Owners: the log in memory and whoever copied the entry from it; immutable.
  std::shared_ptr<const Membership> membership = nullptr;

  friend bool operator==(const Entry& a, const Entry& b) {
    const bool same_membership =
        a.membership && b.membership ? *a.membership == *b.membership : a.membership == b.membership;
    return a.term == b.term && a.index == b.index && a.kind == b.kind && a.payload == b.payload &&
           same_membership;
  }
};

/// What an image of the replicated state stands for: everything up to `index`, whose entry is of `term`, and
/// the membership in force there. Ref: Raft §7
struct Snapshot {
  Index index;
  Term term;
  Membership membership;

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// What must be durable before a message that depends on it is sent; always written together. Ref: Raft fig.
/// 2
struct HardState {
  Term term;
  MemberId voted_for;  ///< none if zero

  friend bool operator==(const HardState&, const HardState&) = default;
};

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

}  // namespace holdfast::raft
