#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "raft/types.h"

namespace holdfast::sim {

/// What a process says of itself when it connects, and so with everything that it sends.
struct Greeting {
  MemberId member;
  std::uint64_t disk = 1;  ///< which of its disks it has: a wiped one is another
  Index membership;        ///< of the entry that its membership comes from
};

/// The UUID of a data directory.
std::string data_id_of(MemberId member, std::uint64_t disk);

/// Whom a process is connected with: what peer/ does, as far as its node can tell. A connection is as good as
/// made when something comes over it. It is refused to strangers and to those who show another disk than the
/// one on record, unless they have a later membership; and what an older connection carried does not arrive
/// after a newer one was made.
class Links {
 public:
  enum class Arrival { kOutdated, kRefused, kKnown, kNew };

  /// `lax`: everybody is let in. The core's own rules must be enough.
  explicit Links(bool lax) : lax_(lax) {}

  void set_members(const raft::Membership& membership, Index index);
  Index membership_index() const { return index_; }

  /// Something comes from there. With kNew a connection was made: the last one is lost.
  Arrival hear(const Greeting& greeting);
  /// Would this process talk to that one?
  bool talks_to(const Greeting& other) const;
  bool connected(MemberId member) const;
  void lose(MemberId member);

  /// Returns: does a majority of the voters it knows refuse it? Then the process ends.
  bool refused_by(MemberId member, const raft::Membership& in_force);

 private:
  struct Link {
    std::uint64_t disk = 0;  // the newest that was welcome
    bool connected = false;
    std::uint64_t judged = 0;  // by which of the memberships
  };
  bool welcomes(const Greeting& greeting) const;

  const bool lax_;
  raft::Membership members_;
  Index index_;
  std::uint64_t version_ = 1;  // of the membership
  std::map<MemberId, Link> links_;
  std::set<MemberId> refusing_;
};

}  // namespace holdfast::sim
