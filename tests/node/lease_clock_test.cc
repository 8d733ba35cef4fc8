#include "node/lease_clock.h"

#include <catch2/catch.hpp>

#include "node/keep_alives.h"

namespace holdfast::node {
namespace {

using Renewal = LeaseClock::Renewal;

constexpr LeaseId kLease(7);
constexpr milliseconds kTtl(1000);

Instant at(int ms) { return Instant(milliseconds(ms)); }

lease::LeaseTable with_lease() {
  lease::LeaseTable leases;
  leases.grant(kLease, kTtl);
  return leases;
}

TEST_CASE("a new leader gives every lease its whole TTL again") {
  lease::LeaseTable leases = with_lease();
  LeaseClock clock;
  clock.start(leases, at(500));
  CHECK(clock.remaining(kLease, at(500)) == kTtl);
  CHECK(clock.to_end(at(1499), 10).empty());
  clock.stop();
  clock.start(leases, at(1499));
  CHECK(clock.to_end(at(2498), 10).empty());
  CHECK(clock.to_end(at(2499), 10) == std::vector{kLease});
}

TEST_CASE("a renewal moves the deadline and never brings it closer") {
  lease::LeaseTable leases = with_lease();
  LeaseClock clock;
  clock.start(leases, at(0));
  CHECK(clock.renew(kLease, at(900)) == Renewal::kRenewed);
  CHECK(clock.to_end(at(1000), 10).empty());
  CHECK(clock.next_deadline() == at(1900));
  CHECK(clock.to_end(at(1899), 10).empty());
  CHECK(clock.to_end(at(1900), 10) == std::vector{kLease});
}

TEST_CASE("an overdue lease is handed out once") {
  lease::LeaseTable leases = with_lease();
  LeaseClock clock;
  clock.start(leases, at(0));
  CHECK(clock.to_end(at(1000), 10) == std::vector{kLease});
  clock.end_proposed(kLease);
  CHECK(clock.to_end(at(5000), 10).empty());
  CHECK(clock.next_deadline() == kNever);
}

TEST_CASE("a renewal does not overtake an end that is in the log undecided") {
  lease::LeaseTable leases = with_lease();
  LeaseClock clock;
  clock.start(leases, at(0));
  clock.end_proposed(kLease);
  CHECK(clock.renew(kLease, at(10)) == Renewal::kUndecided);

  SECTION("the end is applied") {
    leases.end(kLease);
    leases.remove(kLease);
    clock.end_decided(kLease, leases);
    CHECK(clock.renew(kLease, at(20)) == Renewal::kGone);
    CHECK(clock.next_deadline() == kNever);
  }
  SECTION("the end is applied, and something is still attached") {
    leases.end(kLease);
    clock.end_decided(kLease, leases);
    CHECK(clock.renew(kLease, at(20)) == Renewal::kGone);
    CHECK(clock.to_end(at(20), 10) == std::vector{kLease});
    clock.end_proposed(kLease);
    CHECK(clock.to_end(at(20), 10).empty());
    leases.remove(kLease);
    clock.end_decided(kLease, leases);
    CHECK(clock.next_deadline() == kNever);
  }
  SECTION("the end was never taken into the log") {
    clock.end_decided(kLease, leases);
    CHECK(clock.renew(kLease, at(20)) == Renewal::kRenewed);
    CHECK(clock.to_end(at(1019), 10).empty());
    CHECK(clock.to_end(at(1020), 10) == std::vector{kLease});
  }
  SECTION("a second end is under way as well") {
    clock.end_proposed(kLease);
    clock.end_decided(kLease, leases);
    CHECK(clock.renew(kLease, at(20)) == Renewal::kUndecided);
    clock.end_decided(kLease, leases);
    CHECK(clock.renew(kLease, at(20)) == Renewal::kRenewed);
  }
}

TEST_CASE("the deadline passes while an end is undecided: if the lease survives, it is still overdue") {
  lease::LeaseTable leases = with_lease();
  LeaseClock clock;
  clock.start(leases, at(0));
  clock.end_proposed(kLease);
  CHECK(clock.to_end(at(1000), 10).empty());
  clock.end_decided(kLease, leases);
  CHECK(clock.to_end(at(1000), 10) == std::vector{kLease});
}

TEST_CASE("an end may be on its way before its lease is granted") {
  lease::LeaseTable leases;
  LeaseClock clock;
  clock.start(leases, at(0));
  clock.end_proposed(kLease);
  leases.grant(kLease, kTtl);
  clock.granted(kLease, kTtl, at(5));
  CHECK(clock.renew(kLease, at(6)) == Renewal::kUndecided);
  clock.end_decided(kLease, leases);
  CHECK(clock.renew(kLease, at(7)) == Renewal::kRenewed);
}

TEST_CASE("leases end in batches") {
  lease::LeaseTable leases;
  for (std::uint64_t i = 1; i <= 10; ++i) leases.grant(LeaseId(i), kTtl);
  LeaseClock clock;
  clock.start(leases, at(0));
  CHECK(clock.to_end(at(2000), 4).size() == 4);
  CHECK(clock.to_end(at(2000), 4).size() == 4);
  CHECK(clock.to_end(at(2000), 4).size() == 2);
}

TEST_CASE("a keepalive of several leases waits for the one whose end is undecided") {
  lease::LeaseTable leases = with_lease();
  leases.grant(LeaseId(8), kTtl);
  LeaseClock clock;
  clock.start(leases, at(0));
  KeepAlives keep_alives(clock);
  std::optional<Result<std::vector<KeptAlive>>> answer;
  auto done = [&](Result<std::vector<KeptAlive>> result) { answer = std::move(result); };

  clock.end_proposed(kLease);
  keep_alives.renew({LeaseId(8), kLease, LeaseId(9)}, at(500), at(100), done);
  CHECK_FALSE(answer);

  SECTION("until it is applied") {
    leases.end(kLease);
    leases.remove(kLease);
    clock.end_decided(kLease, leases);
    keep_alives.end_decided(kLease, at(200));
    REQUIRE(answer);
    REQUIRE(*answer);
    CHECK((**answer)[0].ttl == kTtl);
    CHECK((**answer)[1].ttl == milliseconds(0));
    CHECK((**answer)[2].ttl == milliseconds(0));
  }
  SECTION("until its time is over") {
    keep_alives.expire(at(500) + Earliest::kSlack);
    REQUIRE(answer);
    CHECK(answer->error().code == Errc::kUnavailable);
    // The late decision finds nobody.
    clock.end_decided(kLease, leases);
    keep_alives.end_decided(kLease, at(600));
  }
  SECTION("until the leader is deposed") {
    keep_alives.fail_all({Errc::kNotLeader, "deposed", {}});
    REQUIRE(answer);
    CHECK(answer->error().code == Errc::kNotLeader);
  }
}

}  // namespace
}  // namespace holdfast::node
