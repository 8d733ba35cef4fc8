#include <catch2/catch.hpp>

#include "tests/rpc/calls.h"

namespace holdfast::test {

namespace {

struct Locker {
  explicit Locker(Cluster& cluster_in, Member& member)
      : cluster(cluster_in),
        holdfast(cluster.connect(member)),
        locks(holdfast.locksRequest().send().getLocks()),
        leases(holdfast.leasesRequest().send().getLeases()) {}

  Cluster& cluster;
  schema::Holdfast::Client holdfast;
  schema::Locks::Client locks;
  schema::Leases::Client leases;
};

Result<void> release(Locker& locker, const std::string& lock, std::uint64_t token) {
  auto request = locker.locks.releaseRequest();
  request.setLock(as_text(lock));
  request.setToken(token);
  auto results = locker.cluster.call(request);
  return error_of(results);
}

}  // namespace

TEST_CASE("a free lock is granted, a held one is refused to who only tries") {
  Cluster cluster;
  Locker locker(cluster, cluster.leader());
  const LeaseId first = grant(cluster, locker.leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, locker.leases, milliseconds(60'000));
  auto granted = cluster.call(acquire_request(locker.locks, "deploy", first, false));
  REQUIRE(error_of(granted));
  CHECK(granted.getOutcome().getOk().getToken() > 0);
  auto refused = cluster.call(acquire_request(locker.locks, "deploy", second, false));
  REQUIRE_FALSE(error_of(refused));
  CHECK(error_of(refused).error().code == Errc::kLockHeld);
}

TEST_CASE("those who wait are granted in their order, one at each release") {
  Cluster cluster;
  Locker locker(cluster, cluster.leader());
  std::vector<kj::Promise<std::uint64_t>> waiting;
  for (int i = 0; i < 3; ++i) {
    const LeaseId lease = grant(cluster, locker.leases, milliseconds(60'000));
    waiting.push_back(acquire_request(locker.locks, "deploy", lease, true).send().then([](auto&& results) {
      REQUIRE(error_of(results));
      return results.getOutcome().getOk().getToken();
    }));
  }
  std::uint64_t last = 0;
  for (auto& grant : waiting) {
    const std::uint64_t token = cluster.wait(kj::mv(grant));
    CHECK(token > last);
    last = token;
    REQUIRE(release(locker, "deploy", token));
  }
}

TEST_CASE("who waits longer than it wanted is told so, whatever the call's timeout") {
  Cluster cluster;
  Locker locker(cluster, cluster.leader());
  const LeaseId first = grant(cluster, locker.leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, locker.leases, milliseconds(60'000));
  REQUIRE(error_of(cluster.call(acquire_request(locker.locks, "deploy", first, false))));
  auto request = acquire_request(locker.locks, "deploy", second, true);
  request.initCall().setTimeoutMs(100);
  request.getAcquire().setBounded(true);
  request.getAcquire().setWaitMs(300);
  auto results = cluster.call(request);
  REQUIRE_FALSE(error_of(results));
  CHECK(error_of(results).error().code == Errc::kWaitTimedOut);
}

TEST_CASE("a waiter whose connection is gone keeps its place, and asking again meets it") {
  Cluster cluster;
  Locker holder(cluster, cluster.leader());
  Locker waiter(cluster, cluster.leader());
  const LeaseId first = grant(cluster, holder.leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, holder.leases, milliseconds(60'000));
  auto held = cluster.call(acquire_request(holder.locks, "deploy", first, false));
  const auto queued = [&] {
    const auto* lock = cluster.leader().node->machine().locks().find("deploy");
    return lock && lock->queue.size() == 1;
  };
  {
    auto dropped = acquire_request(waiter.locks, "deploy", second, true).send();
    REQUIRE(cluster.run_until(queued));
    cluster.close_connection(1);
  }
  cluster.run_for(milliseconds(20));
  CHECK(queued());
  // It is granted while nobody waits for it; asking again finds it held.
  REQUIRE(release(holder, "deploy", held.getOutcome().getOk().getToken()));
  auto again = cluster.call(acquire_request(holder.locks, "deploy", second, true));
  REQUIRE(error_of(again));
  CHECK(again.getOutcome().getOk().getToken() > held.getOutcome().getOk().getToken());
}

TEST_CASE("a cancelled wait ends with cancelled, and a release by who does not hold is refused") {
  Cluster cluster;
  Locker locker(cluster, cluster.leader());
  const LeaseId first = grant(cluster, locker.leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, locker.leases, milliseconds(60'000));
  auto held = cluster.call(acquire_request(locker.locks, "deploy", first, false));
  auto wait = acquire_request(locker.locks, "deploy", second, true, 7).send();
  REQUIRE(cluster.run_until(
      [&] { return !cluster.leader().node->machine().locks().find("deploy")->queue.empty(); }));
  auto cancel = locker.locks.cancelRequest();
  cancel.setLock("deploy");
  cancel.setLease(second.value());
  cancel.setAttempt(7);
  REQUIRE(error_of(cluster.call(cancel)));
  auto cancelled = cluster.wait(kj::mv(wait));
  REQUIRE_FALSE(error_of(cancelled));
  CHECK(error_of(cancelled).error().code == Errc::kCancelled);

  const auto token = held.getOutcome().getOk().getToken();
  CHECK(release(locker, "deploy", token + 1).error().code == Errc::kNotHolder);
  CHECK(release(locker, "deploy", token));
  CHECK(release(locker, "deploy", token).error().code == Errc::kNotHolder);
}

TEST_CASE("a waiting call moves to the next leader and is granted there") {
  Cluster cluster(3);
  Member& old_leader = cluster.leader();
  Member& follower = cluster.follower();
  Locker locker(cluster, follower);
  const LeaseId first = grant(cluster, locker.leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, locker.leases, milliseconds(60'000));
  auto held = cluster.call(acquire_request(locker.locks, "deploy", first, false));
  auto request = acquire_request(locker.locks, "deploy", second, true);
  request.initCall().setTimeoutMs(8000);
  auto wait = request.send();
  REQUIRE(cluster.run_until([&] {
    const auto* lock = follower.node->machine().locks().find("deploy");
    return lock && !lock->queue.empty();
  }));
  old_leader.kill();
  // The first may break with the old leader; asking again then finds the lock held no longer, or releases it.
  const auto released = [&] {
    const auto outcome = release(locker, "deploy", held.getOutcome().getOk().getToken());
    return outcome || outcome.error().code == Errc::kNotHolder;
  };
  REQUIRE((released() || released()));
  auto granted = cluster.wait(kj::mv(wait));
  REQUIRE(error_of(granted));
  CHECK(granted.getOutcome().getOk().getToken() > held.getOutcome().getOk().getToken());
}

TEST_CASE("locks are shown with their holders and their queue") {
  Cluster cluster;
  Locker locker(cluster, cluster.leader());
  const LeaseId first = grant(cluster, locker.leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, locker.leases, milliseconds(60'000));
  auto holding = acquire_request(locker.locks, "deploy", first, false);
  holding.getAcquire().setOwner("me");
  REQUIRE(error_of(cluster.call(holding)));
  auto wait = acquire_request(locker.locks, "deploy", second, true).send();
  REQUIRE(cluster.run_until(
      [&] { return !cluster.leader().node->machine().locks().find("deploy")->queue.empty(); }));
  for (const char* name : {"", "deploy"}) {
    auto request = locker.locks.showRequest();
    request.setLock(name);
    auto results = cluster.call(request);
    auto locks = results.getOutcome().getOk().getLocks();
    REQUIRE(locks.size() == 1);
    REQUIRE(locks[0].getHolders().size() == 1);
    CHECK(rpc::to_string(locks[0].getHolders()[0].getOwner()) == "me");
    REQUIRE(locks[0].getQueue().size() == 1);
    CHECK(locks[0].getQueue()[0].getPosition() == 1);
    CHECK(locks[0].getQueue()[0].getLease() == second.value());
  }
  auto other = locker.locks.showRequest();
  other.setLock("free");
  auto results = cluster.call(other);
  CHECK(results.getOutcome().getOk().getLocks().size() == 0);
}

TEST_CASE("at a handover the next holder is answered before the one that released") {
  Cluster cluster;
  Locker locker(cluster, cluster.leader());
  const LeaseId first = grant(cluster, locker.leases, milliseconds(60'000));
  const LeaseId second = grant(cluster, locker.leases, milliseconds(60'000));
  auto held = cluster.call(acquire_request(locker.locks, "deploy", first, true));
  REQUIRE(error_of(held));
  std::vector<std::string> answered;
  auto next = acquire_request(locker.locks, "deploy", second, true).send().then([&](auto&&) {
    answered.emplace_back("granted");
  });
  next = next.eagerlyEvaluate(nullptr);
  REQUIRE(cluster.run_until(
      [&] { return !cluster.leader().node->machine().locks().find("deploy")->queue.empty(); }));
  auto request = locker.locks.releaseRequest();
  request.setLock(as_text("deploy"));
  request.setToken(held.getOutcome().getOk().getToken());
  auto released = request.send().then([&](auto&&) { answered.emplace_back("released"); });
  released = released.eagerlyEvaluate(nullptr);
  cluster.wait(kj::mv(next));
  cluster.wait(kj::mv(released));
  CHECK(answered == std::vector<std::string>{"granted", "released"});
}

}  // namespace holdfast::test
