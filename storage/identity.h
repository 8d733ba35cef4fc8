#pragma once

#include <string>

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
  raft::Membership membership;  ///< the founding one, that the log starts from; empty if it joined later

  friend bool operator==(const Identity&, const Identity&) = default;
};

}  // namespace holdfast::storage
