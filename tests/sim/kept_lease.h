#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "client/session/safe_until.h"
#include "tests/sim/caller.h"
#include "tests/sim/door.h"

namespace holdfast::sim {

/// A lease that a client keeps alive as the SDK does: when SafeUntil says so, and believed in as long as it
/// says so.
class KeptLease {
 public:
  KeptLease(Surroundings surroundings, Caller& caller, Random random);

  /// A new one; what was kept before is dropped.
  void grant(milliseconds ttl, std::function<void(Result<LeaseId>)> done);
  /// No more keepalives: it runs out.
  void drop();
  /// `on_lost` runs once, when this lease turns out to have ended.
  void watch(std::function<void()> on_lost) { on_lost_.push_back(std::move(on_lost)); }
  /// From now on it also counts as lost once it is not safe any more.
  void insist();

  /// For so long no keepalive gets through.
  void cut_off(Duration time) { cut_off_until_ = world_.clock.now() + time; }

  LeaseId id() const { return id_; }
  /// By the client's own reckoning.
  bool safe() const { return id_ && safety_->is_safe(world_.clock.now()); }
  /// Runs `done` when a keepalive was acknowledged (true) or the lease is known to be lost (false).
  void confirm(std::function<void(bool)> done);

  /// Asks a member whether a lease lives. Errors: nobody said so.
  void ask(LeaseId lease, Duration patience, std::function<void(Result<bool>)> done);

 private:
  using Heard = std::function<void(Result<Kept>)>;

  void arm();
  void tick(std::uint64_t generation);
  void keep_alive();
  void send(LeaseId lease, Duration patience, Heard heard);
  void acknowledged(Instant sent_at, const Kept& kept);
  void lose();

  Surroundings world_;
  Caller& caller_;
  session::Endpoints endpoints_;
  LeaseId id_;
  std::optional<session::SafeUntil> safety_;
  bool strict_ = false;
  Instant cut_off_until_;
  Instant armed_ = kNever;
  std::uint64_t generation_ = 0;  // of leases: timers and answers of former ones do nothing
  std::vector<std::function<void()>> on_lost_;
  std::vector<std::function<void(bool)>> waiting_;
};

}  // namespace holdfast::sim
