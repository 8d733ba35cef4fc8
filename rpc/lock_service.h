#pragma once

#include "lock/lock_table.h"
#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

class LockService final : public schema::Locks::Server {
 public:
  LockService(Desk& desk, Reach reach) : desk_(desk), reach_(reach) {}

 private:
  kj::Promise<void> acquire(AcquireContext context) override;
  kj::Promise<void> cancel(CancelContext context) override;
  kj::Promise<void> release(ReleaseContext context) override;
  kj::Promise<void> show(ShowContext context) override;

  Desk& desk_;
  const Reach reach_;
};

}  // namespace holdfast::rpc
