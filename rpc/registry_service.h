#pragma once

#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

class RegistryService final : public schema::Registry::Server {
 public:
  RegistryService(kj::Own<Visitor> visitor, Reach reach)
      : visitor_(kj::mv(visitor)), desk_(visitor_->desk), reach_(reach) {}

 private:
  kj::Promise<void> register_(RegisterContext context) override;
  kj::Promise<void> deregister(DeregisterContext context) override;
  kj::Promise<void> services(ServicesContext context) override;
  kj::Promise<void> resolve(ResolveContext context) override;
  kj::Promise<void> watch(WatchContext context) override;

  Result<void> look_at_services(ServicesContext context);
  Result<void> look_at_instances(ResolveContext context);

  kj::Own<Visitor> visitor_;
  Desk& desk_;
  const Reach reach_;
};

}  // namespace holdfast::rpc
