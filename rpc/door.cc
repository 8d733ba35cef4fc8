#include "rpc/door.h"

#include "rpc/cluster_service.h"
#include "rpc/config_service.h"
#include "rpc/lease_service.h"
#include "rpc/lock_service.h"
#include "rpc/registry_service.h"

namespace holdfast::rpc {

namespace {

class Bootstrap final : public schema::Holdfast::Server {
 public:
  Bootstrap(kj::Own<Visitor> visitor, Reach reach) : visitor_(kj::mv(visitor)), reach_(reach) {}

 private:
  kj::Promise<void> leases(LeasesContext context) override {
    context.getResults().setLeases(kj::heap<LeaseService>(visitor_->desk, reach_));
    return kj::READY_NOW;
  }
  kj::Promise<void> config(ConfigContext context) override {
    context.getResults().setConfig(kj::heap<ConfigService>(kj::addRef(*visitor_), reach_));
    return kj::READY_NOW;
  }
  kj::Promise<void> registry(RegistryContext context) override {
    context.getResults().setRegistry(kj::heap<RegistryService>(kj::addRef(*visitor_), reach_));
    return kj::READY_NOW;
  }
  kj::Promise<void> locks(LocksContext context) override {
    context.getResults().setLocks(kj::heap<LockService>(visitor_->desk, reach_));
    return kj::READY_NOW;
  }
  kj::Promise<void> cluster(ClusterContext context) override {
    context.getResults().setCluster(kj::heap<ClusterService>(kj::addRef(*visitor_), reach_));
    return kj::READY_NOW;
  }
  kj::Promise<void> here(HereContext context) override {
    context.getResults().setHoldfast(kj::heap<Bootstrap>(kj::addRef(*visitor_), Reach::kThisMember));
    return kj::READY_NOW;
  }

  kj::Own<Visitor> visitor_;
  const Reach reach_;
};

}  // namespace

schema::Holdfast::Client Door::visit(std::string address) {
  return kj::heap<Bootstrap>(kj::refcounted<Visitor>(desk_, std::move(address)), Reach::kCluster);
}

}  // namespace holdfast::rpc
