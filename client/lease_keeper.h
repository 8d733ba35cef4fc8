#pragma once

#include <kj/async.h>

#include <map>
#include <memory>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "base/time.h"
#include "client/channel.h"
#include "client/lease_state.h"
#include "client/session/safe_until.h"
#include "net/event_loop.h"

namespace holdfast::sdk {

/// Keeps leases alive, many in one call, over a channel of its own that no large answer can block, and says
/// when one is lost: the service has ended it, or (where asked) nobody confirmed it in time.
/// Thread: the I/O thread.
class LeaseKeeper final : private kj::TaskSet::ErrorHandler {
 public:
  LeaseKeeper(net::EventLoop& loop, Channel& channel);

  /// `sent_at`: when the grant was first sent. `state` is told how long the lease is safe; null: nobody asks.
  /// `on_lost` runs at most once, on the loop, and may call keep() and drop(); the lease is no longer kept by
  /// then, and telling `state` is left to it. Its error is kLeaseNotFound if the service has ended the lease.
  void keep(LeaseId lease, milliseconds ttl, Instant sent_at, std::shared_ptr<LeaseState> state,
            Callback<void(Error)> on_lost);
  /// From now on the lease counts as lost when it is no longer safe, whatever the service may still think.
  void insist(LeaseId lease);
  /// No more keepalives; on_lost will not run. Nothing if it is not kept.
  void drop(LeaseId lease);
  /// Done when the next keepalive was acknowledged. Returns: false if the lease was lost or dropped.
  kj::Promise<bool> confirmed(LeaseId lease);

 private:
  struct Kept {
    session::SafeUntil safety;
    bool strict = false;
    std::shared_ptr<LeaseState> state;  // owners: this entry and the guard that the user holds
    Callback<void(Error)> on_lost;
    std::vector<kj::Own<kj::PromiseFulfiller<bool>>> waiting = {};
  };

  void tick();
  void lose_unsafe(Instant at);
  void send_due(Instant at);
  void arm();
  kj::Promise<void> send(std::vector<LeaseId> batch, Duration patience);
  void acknowledged(const std::vector<LeaseId>& batch, const std::vector<milliseconds>& ttls,
                    Instant sent_at);
  void failed(const std::vector<LeaseId>& batch);
  void lose(LeaseId lease, Error why);
  void taskFailed(kj::Exception&&) override {}

  net::EventLoop& loop_;
  Channel& channel_;
  std::map<LeaseId, Kept> kept_;
  Instant armed_ = kNever;
  kj::TaskSet tasks_;
};

}  // namespace holdfast::sdk
