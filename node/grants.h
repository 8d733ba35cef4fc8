#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "lock/lock_table.h"

/// Calls that wait in a lock's queue for their grant. The queue itself is in the log (lock/); this only
/// remembers whom to tell.
namespace holdfast::node {

struct Grant {
  Token token;
  Revision revision;
};

class Grants {
 public:
  using Done = Callback<void(Result<Grant>)>;

  /// Runs `done` when the claim (lock, lease) of that attempt is granted, cancelled (kCancelled), timed out
  /// (kWaitTimedOut), taken over by a newer attempt (kCancelled), or its lease ended (kLeaseNotFound); or
  /// with kNotLeader when this member stops leading, so that the client asks again elsewhere. Several may
  /// wait for one claim. Returns: an id for forget().
  std::uint64_t await(std::string lock, LeaseId lease, std::uint64_t attempt, Done done);
  /// The caller has gone; its claim stays.
  void forget(std::uint64_t id);

  // --- From the node ---
  void on_change(const lock::Change& change);
  void fail_all(const Error& error);

 private:
  using Claim = std::pair<std::string, LeaseId>;
  struct Waiting {
    std::uint64_t id = 0;
    std::uint64_t attempt = 0;
    Done done;
  };
  /// Takes out those who wait for attempts up to `newest` of the claim.
  std::vector<Waiting> take(const Claim& claim, std::uint64_t newest);

  std::multimap<Claim, Waiting> waiting_;
  std::map<std::uint64_t, Claim> by_id_;
  std::uint64_t last_id_ = 0;
};

}  // namespace holdfast::node
