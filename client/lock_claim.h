#pragma once

#include <kj/async.h>

#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "client/engine.h"
#include "client/lease_state.h"
#include "client/session/retry.h"
#include "holdfast/lock.h"

namespace holdfast::sdk {

struct HeldLock {
  std::uint64_t number = 0;  ///< of the claim's task
  std::string name;
  Token token;
  std::shared_ptr<LeaseState> lease;  // owners: the claim and the guard that the user holds
};

/// One wish to have a lock, under a lease of its own, from asking until release.
///
///     waiting --granted--> held --release | lost--> over
///     waiting --refused | time over | given up--> over
///
/// A connection that breaks while it waits changes nothing: it asks again for the same (lock, lease) and
/// meets its own place in the queue. A lease that ends while it waits costs the place: it begins anew. What
/// is given up leaves nothing behind: the claim is cancelled and the lease revoked, until a member says so or
/// the lease is over anyway. Thread: the I/O thread.
class LockClaim final : public Task {
 public:
  LockClaim(Engine& engine, std::uint64_t number, std::string name, client::LockOptions options);

  /// Errors: kLockHeld, kWaitTimedOut, kCancelled, kUnavailable, kUnknown (given up, but it may be granted
  /// until that was said). After an error the claim discards itself.
  kj::Promise<Result<HeldLock>> acquire();
  /// Releases, ends the lease, and discards the claim. Errors: kNotHolder, kUnavailable, kUnknown.
  kj::Promise<Result<void>> release();

  void close() override;
  void cancel_wait() override;

 private:
  using Held = Result<HeldLock>;
  enum class State { kWaiting, kHeld, kOver };

  kj::Promise<Held> with_new_lease();
  kj::Promise<Held> queue();
  kj::Promise<Held> wait_over(kj::Own<Link> link);
  kj::Promise<Result<Token>> send(const Attempt& attempt);
  kj::Promise<Held> after_attempt(Link& link, Result<Token> outcome, bool silent);
  kj::Promise<Held> granted(Token token);
  kj::Promise<Held> try_once();
  Result<void> released(Result<std::uint64_t> answer);

  bool time_is_over() const;
  void lease_lost(Error why);
  void forget_lease();
  void abandon();
  void leave_nothing();
  void say_farewell(bool cancel);
  Error named(Errc code, const std::string& message) const;

  Engine& engine_;
  const std::uint64_t number_;  ///< also the attempt's number
  const std::string name_;
  const client::LockOptions options_;
  const Instant deadline_;  ///< of the wait in the queue; kNever: as long as it takes

  State state_ = State::kWaiting;
  bool asked_ = false;  ///< under the present lease: there may be a claim
  LeaseId lease_;
  Token token_;
  std::shared_ptr<LeaseState> lease_state_;  // owners: see HeldLock
  /// Since the cluster was last seen to be in order.
  std::optional<session::Retry> trouble_;
  kj::Own<kj::PromiseFulfiller<void>> cancelled_;
  kj::Own<kj::PromiseFulfiller<void>> lost_;
};

}  // namespace holdfast::sdk
