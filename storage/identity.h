#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "raft/types.h"

namespace holdfast::storage {

/// Who this data directory is; written once, at the first boot.
struct Identity {
  ClusterId cluster;
  MemberId member;
  std::string name;  ///< of this member
  /// Distinguishes this directory from one that was wiped and set up again with the same options; given by
  /// the log database when it is set up: 32 hexadecimal digits.
  std::string data_id;
  raft::Membership membership;  ///< that the log starts from: the founding one, or the one that it came into
  /// Of a member that came later: who founded the cluster, ids left out, as far as it was told. Empty for the
  /// founders themselves, who have them in `membership`.
  std::vector<raft::Member> founders = {};

  friend bool operator==(const Identity&, const Identity&) = default;
};

}  // namespace holdfast::storage
