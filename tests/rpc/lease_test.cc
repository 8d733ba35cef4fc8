#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/rpc/calls.h"

namespace holdfast::test {

namespace {

auto keep_alive_request(schema::Leases::Client leases, const std::vector<LeaseId>& ids) {
  auto request = leases.keepAliveRequest();
  auto list = request.initLeases(static_cast<unsigned>(ids.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, ids[i].value());
  return request;
}

}  // namespace

TEST_CASE("one call keeps many leases alive and says which have ended") {
  Cluster cluster(3);
  for (Member* member : {&cluster.leader(), &cluster.follower()}) {
    auto leases = cluster.connect(*member).leasesRequest().send().getLeases();
    const LeaseId first = grant(cluster, leases, milliseconds(5000));
    const LeaseId second = grant(cluster, leases, milliseconds(7000));
    auto results = cluster.call(keep_alive_request(leases, {first, LeaseId(999'999), second}));
    REQUIRE(error_of(results));
    auto ttls = results.getOutcome().getOk().getTtlMs();
    REQUIRE(ttls.size() == 3);
    CHECK(ttls[0] == 5000);
    CHECK(ttls[1] == 0);
    CHECK(ttls[2] == 7000);
  }
}

TEST_CASE("a lease that is not kept alive ends, and what is attached goes with it") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto leases = holdfast.leasesRequest().send().getLeases();
  auto config = holdfast.configRequest().send().getConfig();
  const LeaseId lease = grant(cluster, leases, milliseconds(200));
  auto attached = put_request(config, "a", "1");
  attached.getPut().setLease(lease.value());
  REQUIRE(error_of(cluster.call(attached)));

  auto show = leases.showRequest();
  show.setLease(lease.value());
  auto shown = cluster.call(show);
  REQUIRE(error_of(shown));
  auto ok = shown.getOutcome().getOk();
  CHECK(ok.getTtlMs() == 200);
  CHECK(ok.getRemainingMs() <= 200);
  REQUIRE(ok.getAttached().size() == 1);
  CHECK(rpc::to_string(ok.getAttached()[0]) == "key:a");

  REQUIRE(cluster.run_until([&] { return !cluster.leader().node->machine().config().find("a"); }));
  auto gone = leases.showRequest();
  gone.setLease(lease.value());
  auto results = cluster.call(gone);
  REQUIRE_FALSE(error_of(results));
  CHECK(error_of(results).error().code == Errc::kLeaseNotFound);
}

TEST_CASE("leases are listed and revoked") {
  Cluster cluster;
  auto leases = cluster.connect(cluster.leader()).leasesRequest().send().getLeases();
  const LeaseId first = grant(cluster, leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, leases, milliseconds(60'000));
  auto revoke = leases.revokeRequest();
  revoke.setLease(first.value());
  REQUIRE(error_of(cluster.call(revoke)));
  auto listed = cluster.call(leases.listRequest());
  auto list = listed.getOutcome().getOk().getLeases();
  REQUIRE(list.size() == 1);
  CHECK(list[0].getLease() == second.value());
}

TEST_CASE("a lease's time and a call's number of leases have limits") {
  Cluster cluster;
  auto leases = cluster.connect(cluster.leader()).leasesRequest().send().getLeases();
  for (const std::uint64_t ttl : {std::uint64_t{0}, std::uint64_t{99}, UINT64_MAX}) {
    auto request = leases.grantRequest();
    request.setTtlMs(ttl);
    auto results = cluster.call(request);
    CHECK_FALSE(error_of(results));
  }
  auto results = cluster.call(
      keep_alive_request(leases, std::vector<LeaseId>(limits::kMaxLeasesPerCall + 1, LeaseId(1))));
  REQUIRE_FALSE(error_of(results));
  CHECK(error_of(results).error().code == Errc::kLimitExceeded);
}

TEST_CASE("a lease with more attached than an answer takes is shown with the first of it") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto leases = holdfast.leasesRequest().send().getLeases();
  auto config = holdfast.configRequest().send().getConfig();
  const LeaseId lease = grant(cluster, leases, milliseconds(60'000));
  constexpr std::size_t kKeys = 4200;
  static_assert(kKeys * limits::kMaxKeyBytes > limits::kMaxClientFrameBytes);
  auto puts = kj::heapArrayBuilder<kj::Promise<void>>(kKeys);
  for (std::size_t i = 0; i < kKeys; ++i) {
    std::string key = std::to_string(10'000 + i);
    key.resize(limits::kMaxKeyBytes, 'x');
    auto request = put_request(config, key, "");
    request.getPut().setLease(lease.value());
    puts.add(request.send().ignoreResult());
  }
  cluster.wait(kj::joinPromises(puts.finish()));

  auto show = leases.showRequest();
  show.setLease(lease.value());
  auto shown = cluster.call(show);
  REQUIRE(error_of(shown));
  auto attached = shown.getOutcome().getOk().getAttached();
  CHECK(attached.size() > kKeys / 2);
  CHECK(attached.size() < kKeys);
  CHECK(rpc::to_string(attached[0]).substr(0, 9) == "key:10000");
}

}  // namespace holdfast::test
