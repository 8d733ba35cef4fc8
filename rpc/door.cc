#include "rpc/door.h"

#include <array>
#include <cstdint>

#include "rpc/cluster_service.h"
#include "rpc/config_service.h"
#include "rpc/lease_service.h"
#include "rpc/lock_service.h"
#include "rpc/registry_service.h"
#include "schema/method.h"

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

/// The services that the bootstrap's methods return, for the calls that reach them without it.
class ServicesOf final : public net::Services {
 public:
  explicit ServicesOf(kj::Own<Visitor> visitor) : visitor_(kj::mv(visitor)) {}

  std::uint64_t bootstrap_interface() const override { return capnp::typeId<schema::Holdfast>(); }
  kj::Maybe<Service> service(std::uint16_t method) override {
    static const std::array<std::uint16_t, 5> kMethods{
        schema::method_number<schema::Holdfast>("leases"), schema::method_number<schema::Holdfast>("config"),
        schema::method_number<schema::Holdfast>("registry"), schema::method_number<schema::Holdfast>("locks"),
        schema::method_number<schema::Holdfast>("cluster")};
    const auto& [leases, config, registry, locks, cluster] = kMethods;
    if (method == leases) return Service(kj::heap<LeaseService>(visitor_->desk, Reach::kCluster));
    if (method == config) return Service(kj::heap<ConfigService>(kj::addRef(*visitor_), Reach::kCluster));
    if (method == registry) return Service(kj::heap<RegistryService>(kj::addRef(*visitor_), Reach::kCluster));
    if (method == locks) return Service(kj::heap<LockService>(visitor_->desk, Reach::kCluster));
    if (method == cluster) return Service(kj::heap<ClusterService>(kj::addRef(*visitor_), Reach::kCluster));
    return nullptr;
  }
  kj::Promise<void> dispatch(capnp::Capability::Server& service, std::uint64_t interface_id,
                             std::uint16_t method, capnp::CallContextHook& context,
                             net::DirectCall& call) override {
    Desk& desk = visitor_->desk;
    desk.direct = &call;
    KJ_DEFER(desk.direct = nullptr);
    return service
        .dispatchCall(interface_id, method, capnp::CallContext<capnp::AnyPointer, capnp::AnyPointer>(context))
        .promise;
  }

 private:
  kj::Own<Visitor> visitor_;
};

}  // namespace

net::Offer Door::visit(std::string address) {
  auto visitor = kj::refcounted<Visitor>(desk_, std::move(address));
  schema::Holdfast::Client bootstrap(kj::heap<Bootstrap>(kj::addRef(*visitor), Reach::kCluster));
  return {kj::mv(bootstrap), kj::Own<net::Services>(kj::heap<ServicesOf>(kj::mv(visitor)))};
}

}  // namespace holdfast::rpc
