#pragma once

#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

class LeaseService final : public schema::Leases::Server {
 public:
  LeaseService(Desk& desk, Reach reach) : desk_(desk), reach_(reach) {}

 private:
  kj::Promise<void> grant(GrantContext context) override;
  kj::Promise<void> keepAlive(KeepAliveContext context) override;
  kj::Promise<void> revoke(RevokeContext context) override;
  kj::Promise<void> show(ShowContext context) override;
  kj::Promise<void> list(ListContext context) override;

  Desk& desk_;
  const Reach reach_;
};

}  // namespace holdfast::rpc
