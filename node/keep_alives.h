#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "node/earliest.h"
#include "node/lease_clock.h"

namespace holdfast::node {

/// One answer of a keepalive; ttl zero: the lease has ended or never was.
struct KeptAlive {
  LeaseId lease;
  milliseconds ttl{0};
};

/// Renewals that a leader, confirmed since they came, may now carry out; and those among them that wait for
/// the fate of a lease whose end is in the log undecided. Ref: DESIGN decision 10
class KeepAlives {
 public:
  using Done = Callback<void(Result<std::vector<KeptAlive>>)>;

  explicit KeepAlives(LeaseClock& clock) : clock_(clock) {}

  /// Requires: leadership was confirmed since the call came, and this term's no-op is applied.
  void renew(std::vector<LeaseId> leases, Instant deadline, Instant now, Done done);
  /// An end of that lease was decided: whoever waits for it goes on.
  void end_decided(LeaseId lease, Instant now);

  void expire(Instant now);
  void fail_all(const Error& why);
  Instant due() const { return earliest_.due(); }

 private:
  struct Call {
    std::vector<KeptAlive> answers;
    std::size_t undecided = 0;  ///< answers still missing
    Instant deadline;
    Done done;
  };
  struct Missing {
    std::uint64_t call = 0;
    std::size_t answer = 0;
  };
  /// Returns: false if it must wait.
  bool answer(KeptAlive& answer, Instant now);

  LeaseClock& clock_;
  std::map<std::uint64_t, Call> calls_;  // only those that wait
  std::multimap<LeaseId, Missing> missing_;
  std::uint64_t last_id_ = 0;
  Earliest earliest_;
};

}  // namespace holdfast::node
