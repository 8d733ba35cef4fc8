#pragma once

#include <functional>

#include "base/random.h"
#include "state/command.h"
#include "state/reply.h"
#include "tests/sim/caller.h"

namespace holdfast::sim {

/// A client's lease: granted, kept alive every third of its TTL, granted anew when it was lost. Commands sent
/// through it run exactly once.
class Session {
 public:
  using Done = std::function<void(Outcome<state::ReplyBody>)>;

  Session(Surroundings surroundings, Random random, milliseconds ttl);

  void open();
  /// Lets the lease run out.
  void abandon() { wanted_ = false; }
  LeaseId lease() const { return lease_; }
  /// By the client's own reckoning.
  bool safe() const { return lease_ && world_.schedule.now() < safe_until_; }

  /// Stamped; one at a time. Requires: lease().
  void propose(state::Operation operation, Duration total, Done done);
  Caller& caller() { return caller_; }
  /// A stamp for the next command; what was sent before is over for this client.
  state::Stamp next_stamp();

 private:
  void grant();
  void keep_alive(LeaseId lease);
  void lost(LeaseId lease);

  Surroundings world_;
  Caller caller_;
  Caller keeper_;
  milliseconds ttl_;
  bool wanted_ = true;
  LeaseId lease_;
  Instant safe_until_;
  std::uint64_t sequence_ = 0;
};

/// As the door does it: queued claims are waited for where they were made.
void acquire_and_wait(node::Node& node, const lock::Acquire& acquire, state::Stamp stamp,
                      Callback<void(Result<Token>)> done);

}  // namespace holdfast::sim
