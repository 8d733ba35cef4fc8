#pragma once

#include "lock/lock_table.h"
#include "rpc/desk.h"
#include "rpc/queue_wait.h"
#include "schema/api.capnp.h"
#include "state/reply.h"

namespace holdfast::rpc {

class LockService final : public schema::Locks::Server {
 public:
  LockService(Desk& desk, Reach reach) : desk_(desk), reach_(reach) {}

 private:
  kj::Promise<void> acquire(AcquireContext context) override;
  kj::Promise<void> cancel(CancelContext context) override;
  kj::Promise<void> release(ReleaseContext context) override;
  kj::Promise<void> show(ShowContext context) override;

  /// Answers the call, now or once the claim's turn has come.
  void finish_acquire(const lock::Acquire& acquire, const state::Reply& reply, AcquirePending pending);

  Desk& desk_;
  const Reach reach_;
};

}  // namespace holdfast::rpc
