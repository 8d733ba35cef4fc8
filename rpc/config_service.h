#pragma once

#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

class ConfigService final : public schema::Config::Server {
 public:
  ConfigService(kj::Own<Visitor> visitor, Reach reach)
      : visitor_(kj::mv(visitor)), desk_(visitor_->desk), reach_(reach) {}

 private:
  kj::Promise<void> put(PutContext context) override;
  kj::Promise<void> get(GetContext context) override;
  kj::Promise<void> delete_(DeleteContext context) override;
  kj::Promise<void> watch(WatchContext context) override;

  Result<void> look(GetContext context);
  void open_watch(WatchContext context, Revision from);

  kj::Own<Visitor> visitor_;
  Desk& desk_;
  const Reach reach_;
};

}  // namespace holdfast::rpc
