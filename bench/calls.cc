#include "bench/calls.h"

namespace holdfast::bench {

capnp::Request<schema::Config::PutParams, schema::Config::PutResults> put_request(
    const Load& load, schema::Config::Client& config, std::string_view key, std::string_view value) {
  auto request =
      config.putRequest(capnp::MessageSize{kSmall.wordCount + value.size() / sizeof(capnp::word), 0});
  request.initCall().setTimeoutMs(load.call_timeout.count());
  auto put = request.initPut();
  put.setKey(bytes_of(key));
  put.setValue(bytes_of(value));
  return request;
}

kj::Promise<Why> put(const Load& load, schema::Config::Client& config, std::string_view key,
                     std::string_view value) {
  return put_request(load, config, key, value).send().then([](auto&& response) { return judge(response); });
}

kj::Promise<std::uint64_t> grant(const Load& load, Services& services, milliseconds ttl) {
  auto request = services.leases.grantRequest(kSmall);
  request.initCall().setTimeoutMs(load.call_timeout.count());
  request.setTtlMs(ttl.count());
  return request.send().then([](auto&& response) {
    auto outcome = response.getOutcome();
    KJ_REQUIRE(outcome.isOk(), "no lease", outcome.getError().getMessage());
    return outcome.getOk().getLease();
  });
}

kj::Promise<Why> revoke(const Load& load, Services& services, std::uint64_t lease) {
  auto request = services.leases.revokeRequest(kSmall);
  request.initCall().setTimeoutMs(load.call_timeout.count());
  request.setLease(lease);
  return request.send().then([](auto&& response) { return judge(response); });
}

kj::Promise<Why> keep_alive(const Load& load, Services& services, const std::vector<std::uint64_t>& leases) {
  auto request = services.leases.keepAliveRequest(capnp::MessageSize{kSmall.wordCount + leases.size(), 0});
  request.initCall().setTimeoutMs(load.call_timeout.count());
  auto asked = request.initLeases(static_cast<unsigned>(leases.size()));
  for (unsigned i = 0; i < asked.size(); ++i) asked.set(i, leases[i]);
  return request.send().then([](auto&& response) -> Why {
    auto outcome = response.getOutcome();
    if (outcome.isError()) return judge(response);
    for (const std::uint64_t ttl : outcome.getOk().getTtlMs()) {
      if (ttl == 0) return kj::str("a lease that was kept alive has ended");
    }
    return nullptr;
  });
}

kj::Promise<Why> register_instance(const Load& load, Services& services, kj::StringPtr service,
                                   kj::StringPtr id, std::uint64_t lease) {
  auto request = services.registry.registerRequest(kSmall);
  request.initCall().setTimeoutMs(load.call_timeout.count());
  request.setService(service);
  auto instance = request.initInstance();
  instance.setId(id);
  instance.setAddress("10.0.0.1");
  instance.setPort(8080);
  instance.initTags(1).set(0, "bench");
  auto metadata = instance.initMetadata(1)[0];
  metadata.setKey("version");
  metadata.setValue("1.0");
  instance.setWeight(1);
  instance.setLease(lease);
  return request.send().then([](auto&& response) { return judge(response); });
}

kj::Promise<Why> deregister_instance(const Load& load, Services& services, kj::StringPtr service,
                                     kj::StringPtr id, std::uint64_t lease) {
  auto request = services.registry.deregisterRequest(kSmall);
  request.initCall().setTimeoutMs(load.call_timeout.count());
  request.setService(service);
  request.setId(id);
  request.setLease(lease);
  return request.send().then([](auto&& response) { return judge(response); });
}

}  // namespace holdfast::bench
