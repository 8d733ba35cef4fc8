#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/state/cluster_of_one.h"

using namespace holdfast;
using namespace holdfast::state;

TEST_CASE("a lease with ten thousand locks ends in bounded batches, and each lock goes to its waiter") {
  ClusterOfOne cluster;
  const LeaseId lease = cluster.grant();
  const LeaseId waiting = cluster.grant();
  constexpr std::size_t kLocks = 10'000;
  for (std::size_t i = 0; i < kLocks; ++i) {
    cluster.acquire("lock-" + std::to_string(i), lease);
    cluster.acquire("lock-" + std::to_string(i), waiting);
  }
  Applied applied = cluster.apply(EndLeases{{lease}});
  std::size_t batches = 1;
  Token last(kLocks);
  for (;; ++batches) {
    CHECK(applied.events.size() <= 2 * limits::kLeaseEndBatch);
    for (const Event& event : applied.events) {
      const auto& change = std::get<lock::Change>(event);
      REQUIRE(change.revision == cluster.machine.revision());
      if (change.type != lock::ChangeType::kGranted) continue;
      REQUIRE(change.token == last.next());
      last = change.token;
    }
    const auto ending = cluster.machine.leases().ending();
    if (ending.empty()) break;
    CHECK(ending == std::vector<LeaseId>{lease});
    CHECK_FALSE(cluster.machine.leases().is_live(lease));
    applied = cluster.apply(EndLeases{ending});
  }
  CHECK(batches == (kLocks + limits::kLeaseEndBatch - 1) / limits::kLeaseEndBatch);
  CHECK(last == Token(2 * kLocks));
  CHECK(cluster.machine.leases().find(lease) == nullptr);
  CHECK(cluster.machine.locks().attached_to(waiting)->size() == kLocks);
}

TEST_CASE("one command removes no more than its batch, whatever kinds of things and however many leases") {
  ClusterOfOne cluster;
  std::vector<LeaseId> leases;
  for (int i = 0; i < 3; ++i) {
    leases.push_back(cluster.grant());
    for (int k = 0; k < 300; ++k) {
      const std::string name = std::to_string(i) + "-" + std::to_string(k);
      cluster.put("/" + name, "x", leases.back());
      cluster.register_instance("web", name, leases.back());
    }
  }
  CHECK(cluster.apply(EndLeases{leases}).events.size() == limits::kLeaseEndBatch);
  CHECK(cluster.machine.leases().ending() == std::vector<LeaseId>{leases[1], leases[2]});
  CHECK(cluster.apply(EndLeases{leases}).events.size() == 1800 - limits::kLeaseEndBatch);
  CHECK(cluster.machine.leases().all().empty());
}

TEST_CASE("an ending lease is dead for every purpose while its attachments are still being removed") {
  ClusterOfOne cluster;
  const LeaseId lease = cluster.grant();
  for (std::size_t i = 0; i < limits::kLeaseEndBatch + 1; ++i) {
    cluster.put("/k" + std::to_string(i), "x", lease);
  }
  REQUIRE(cluster.apply(RevokeLease{lease}).reply);
  REQUIRE(cluster.machine.leases().ending().size() == 1);
  CHECK(cluster.machine.config().all().size() == 1);
  CHECK(code_of(cluster.put("/new", "x", lease)) == Errc::kLeaseNotFound);
  CHECK(code_of(cluster.put("/new", "x", {}, {lease, 1, 1})) == Errc::kLeaseNotFound);
  CHECK(code_of(cluster.register_instance("web", "1", lease)) == Errc::kLeaseNotFound);
  CHECK(code_of(cluster.acquire("deploy", lease)) == Errc::kLeaseNotFound);
  CHECK(code_of(cluster.apply(RevokeLease{lease})) == Errc::kLeaseNotFound);
  cluster.apply(EndLeases{{lease}});
  CHECK(cluster.machine.leases().all().empty());
  CHECK(cluster.machine.config().all().empty());
}

TEST_CASE("a lock is not granted to a lease that ends in the same command") {
  ClusterOfOne cluster;
  const LeaseId holder = cluster.grant();
  const LeaseId dying = cluster.grant();
  const LeaseId living = cluster.grant();
  cluster.acquire("deploy", holder);
  cluster.acquire("deploy", dying);
  cluster.acquire("deploy", living);
  const Applied applied = cluster.apply(EndLeases{{holder, dying}});
  for (const Event& event : applied.events) {
    const auto& change = std::get<lock::Change>(event);
    if (change.type == lock::ChangeType::kGranted) CHECK(change.lease == living);
  }
  const lock::Lock* lock = cluster.machine.locks().find("deploy");
  REQUIRE(lock);
  CHECK(lock->holders.begin()->second.lease == living);
  CHECK(lock->holders.begin()->first == Token(2));
  CHECK(cluster.machine.leases().all().size() == 1);
}

TEST_CASE("a lock is not granted to a waiter whose lease is ending but has still much to lose") {
  ClusterOfOne cluster;
  const LeaseId holder = cluster.grant();
  const LeaseId dying = cluster.grant();
  const LeaseId living = cluster.grant();
  for (std::size_t i = 0; i < limits::kLeaseEndBatch; ++i) cluster.put("/k" + std::to_string(i), "x", dying);
  const Token token = acquired_of(cluster.acquire("deploy", holder)).token;
  cluster.acquire("deploy", dying);
  cluster.acquire("deploy", living);
  cluster.apply(EndLeases{{dying}});
  CHECK(cluster.machine.attachments(dying, 10) == std::vector<std::string>{"queue:deploy"});
  REQUIRE(cluster.apply(ReleaseLock{"deploy", token}).reply);
  CHECK(cluster.machine.locks().find("deploy")->holders.begin()->second.lease == living);
  CHECK(cluster.machine.attachments(dying, 10).empty());
  cluster.apply(EndLeases{{dying}});
  CHECK(cluster.machine.leases().find(dying) == nullptr);
}

TEST_CASE("ending leases that are gone already is no error and no change") {
  ClusterOfOne cluster;
  const LeaseId lease = cluster.grant();
  cluster.apply(EndLeases{{lease, lease, LeaseId(99)}});
  CHECK(cluster.machine.leases().all().empty());
  CHECK(cluster.apply(EndLeases{{lease}}).reply);
  CHECK(cluster.apply(EndLeases{}).reply);
  CHECK(cluster.machine.revision() == Revision(0));
}

TEST_CASE("a waiter's deadline counts in the cluster's time, from when its acquire is applied") {
  ClusterOfOne cluster;
  const LeaseId holder = cluster.grant();
  const LeaseId waiter = cluster.grant();
  cluster.acquire("deploy", holder);
  cluster.now = ClusterTime(5000);
  lock::Acquire wish{"deploy", waiter, lock::Mode::kExclusive, "", true, milliseconds(100), 1};
  CHECK(acquired_of(cluster.apply(wish)).position == 1);
  CHECK(cluster.machine.locks().next_deadline() == ClusterTime(5100));
  const auto overdue = cluster.machine.locks().overdue(ClusterTime(5100), 10);
  cluster.now = ClusterTime(5099);
  CHECK(cluster.apply(TimeOutWaiters{overdue}).events.empty());
  cluster.now = ClusterTime(5100);
  const Applied applied = cluster.apply(TimeOutWaiters{overdue});
  REQUIRE(applied.events.size() == 1);
  CHECK(std::get<lock::Change>(applied.events[0]).type == lock::ChangeType::kWaitTimedOut);
}
