#include <capnp/any.h>

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "rpc/conversions.h"
#include "tests/rpc/calls.h"

namespace holdfast::test {

namespace {

auto register_request(schema::Registry::Client registry, const std::string& service, const std::string& id,
                      LeaseId lease, const std::string& tag) {
  auto request = registry.registerRequest();
  request.setService(as_text(service));
  auto instance = request.initInstance();
  instance.setId(as_text(id));
  instance.setAddress("10.0.0.1");
  instance.setPort(80);
  instance.setWeight(1);
  instance.initTags(1).set(0, as_text(tag));
  auto pair = instance.initMetadata(1)[0];
  pair.setKey("zone");
  pair.setValue("a");
  instance.setLease(lease.value());
  return request;
}

class RegistryWatcher final : public schema::Registry::Watcher::Server {
 public:
  RegistryWatcher(std::map<std::string, bool>& present, bool& complete)
      : present_(present), complete_(complete) {}
  kj::Promise<void> changes(ChangesContext context) override {
    for (auto change : context.getParams().getChanges()) {
      present_[rpc::to_string(change.getInstance().getId())] = !change.getRemoved();
    }
    complete_ = complete_ || context.getParams().getComplete();
    return kj::READY_NOW;
  }

 private:
  std::map<std::string, bool>& present_;
  bool& complete_;
};

}  // namespace

TEST_CASE("registered instances are resolved by tag, metadata and health, and listed") {
  Cluster cluster(3);
  auto holdfast = cluster.connect(cluster.follower());
  auto registry = holdfast.registryRequest().send().getRegistry();
  const LeaseId lease = grant(cluster, holdfast.leasesRequest().send().getLeases(), milliseconds(60'000));
  REQUIRE(error_of(cluster.call(register_request(registry, "web", "web-1", lease, "blue"))));
  auto sick = register_request(registry, "web", "web-2", lease, "green");
  sick.getInstance().setHealth(schema::Registry::Health::CRITICAL);
  REQUIRE(error_of(cluster.call(sick)));

  const auto resolve = [&](auto&& set) {
    auto request = registry.resolveRequest();
    request.setService("web");
    set(request.initFilter());
    return cluster.call(request);
  };
  auto all = resolve([](auto) {});
  CHECK(all.getOutcome().getOk().getInstances().size() == 2);
  auto healthy = resolve([](auto filter) { filter.setHealthyOnly(true); });
  REQUIRE(healthy.getOutcome().getOk().getInstances().size() == 1);
  auto instance = healthy.getOutcome().getOk().getInstances()[0];
  CHECK(rpc::to_string(instance.getId()) == "web-1");
  CHECK(instance.getPort() == 80);
  CHECK(rpc::to_string(instance.getMetadata()[0].getValue()) == "a");
  CHECK(instance.getLease() == lease.value());
  auto tagged = resolve([](auto filter) { filter.initTags(1).set(0, "green"); });
  REQUIRE(tagged.getOutcome().getOk().getInstances().size() == 1);
  CHECK(rpc::to_string(tagged.getOutcome().getOk().getInstances()[0].getId()) == "web-2");

  auto services = cluster.call(registry.servicesRequest());
  REQUIRE(services.getOutcome().getOk().getServices().size() == 1);
  CHECK(services.getOutcome().getOk().getServices()[0].getInstances() == 2);
}

TEST_CASE("an instance whose health nobody knows is refused, and the members live on") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto registry = holdfast.registryRequest().send().getRegistry();
  const LeaseId lease = grant(cluster, holdfast.leasesRequest().send().getLeases(), milliseconds(60'000));
  // A byte is what the log keeps: 256 must not come out as passing.
  for (const unsigned number : {3u, 255u, 256u, 65535u}) {
    auto request = register_request(registry, "web", "web-1", lease, "blue");
    request.getInstance().setHealth(static_cast<schema::Registry::Health>(number));
    const auto refused = error_of(cluster.call(request));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::kInvalidArgument);
  }
  CHECK(error_of(cluster.call(register_request(registry, "web", "web-1", lease, "blue"))));
}

TEST_CASE("a few bytes that stand for millions of metadata pairs are refused before they are walked") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto registry = holdfast.registryRequest().send().getRegistry();
  const LeaseId lease = grant(cluster, holdfast.leasesRequest().send().getLeases(), milliseconds(60'000));
  auto request = register_request(registry, "web", "web-1", lease, "blue");
  // The pointer to the metadata is the fourth of an instance.
  capnp::AnyStruct::Builder(request.getInstance())
      .getPointerSection()[3]
      .initAsListOfAnyStruct(0, 0, 200'000);
  REQUIRE(request.getInstance().getMetadata().size() == 200'000);
  const auto refused = error_of(cluster.call(request));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kLimitExceeded);
  CHECK(refused.error().message.find("kMaxMetadataPairs") != std::string::npos);

  auto resolve = registry.resolveRequest();
  resolve.initFilter().initTags(65);
  const auto too_many = error_of(cluster.call(resolve));
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().code == Errc::kLimitExceeded);
}

TEST_CASE("a watch of a service tells what is there, then what comes and goes") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto registry = holdfast.registryRequest().send().getRegistry();
  auto leases = holdfast.leasesRequest().send().getLeases();
  const LeaseId lasting = grant(cluster, leases, milliseconds(60'000));
  REQUIRE(error_of(cluster.call(register_request(registry, "web", "web-1", lasting, "blue"))));
  REQUIRE(error_of(cluster.call(register_request(registry, "mail", "mail-1", lasting, "blue"))));
  std::map<std::string, bool> present;
  bool complete = false;
  auto request = registry.watchRequest();
  request.setService("web");
  request.setWatcher(kj::heap<RegistryWatcher>(present, complete));
  auto opened = cluster.call(request);
  REQUIRE(error_of(opened));
  REQUIRE(cluster.run_until([&] { return complete; }));
  CHECK(present == std::map<std::string, bool>{{"web-1", true}});

  const LeaseId brief = grant(cluster, leases, milliseconds(200));
  REQUIRE(error_of(cluster.call(register_request(registry, "web", "web-2", brief, "blue"))));
  REQUIRE(cluster.run_until([&] { return present.count("web-2") != 0; }));
  CHECK(present["web-2"]);
  REQUIRE(cluster.run_until([&] { return !present["web-2"]; }));
}

TEST_CASE("a watch of a service without instances is complete at once") {
  Cluster cluster;
  auto registry = cluster.connect(cluster.leader()).registryRequest().send().getRegistry();
  std::map<std::string, bool> present;
  bool complete = false;
  auto request = registry.watchRequest();
  request.setService("nothing");
  request.setWatcher(kj::heap<RegistryWatcher>(present, complete));
  auto opened = cluster.call(request);
  CHECK(cluster.run_until([&] { return complete; }));
  CHECK(present.empty());
}

TEST_CASE("deregistering names what is not there") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto registry = holdfast.registryRequest().send().getRegistry();
  const LeaseId lease = grant(cluster, holdfast.leasesRequest().send().getLeases(), milliseconds(60'000));
  REQUIRE(error_of(cluster.call(register_request(registry, "web", "web-1", lease, "blue"))));
  const auto deregister = [&](const char* service, const char* id, LeaseId by) {
    auto request = registry.deregisterRequest();
    request.setService(service);
    request.setId(id);
    request.setLease(by.value());
    auto results = cluster.call(request);
    return error_of(results);
  };
  CHECK(deregister("web", "web-1", LeaseId(12345)).error().code == Errc::kNotHolder);
  CHECK(deregister("web", "web-9", {}).error().code == Errc::kInstanceNotFound);
  CHECK(deregister("web", "web-1", lease));
  CHECK(deregister("web", "web-1", lease).error().code == Errc::kServiceNotFound);
}

TEST_CASE("more services than an answer takes are refused, and the connection lives on") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto registry = holdfast.registryRequest().send().getRegistry();
  const LeaseId lease = grant(cluster, holdfast.leasesRequest().send().getLeases(), milliseconds(60'000));
  constexpr std::size_t kServices = 12'500;
  static_assert(kServices * limits::kMaxNameBytes > rpc::kMaxAnswerBytes);
  auto registrations = kj::heapArrayBuilder<kj::Promise<void>>(kServices);
  for (std::size_t i = 0; i < kServices; ++i) {
    std::string name = std::to_string(10'000 + i);
    name.resize(limits::kMaxNameBytes, 'x');
    registrations.add(register_request(registry, name, "1", lease, "blue").send().ignoreResult());
  }
  cluster.wait(kj::joinPromises(registrations.finish()));
  const auto refused = error_of(cluster.call(registry.servicesRequest()));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kLimitExceeded);
  CHECK(refused.error().message.find("12500 services") != std::string::npos);
}

}  // namespace holdfast::test
