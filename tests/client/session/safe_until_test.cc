#include "client/session/safe_until.h"

#include <catch2/catch.hpp>

using holdfast::Duration;
using holdfast::Instant;
using holdfast::kNever;
using holdfast::milliseconds;
using holdfast::session::SafeUntil;

namespace {
Instant at(int ms) { return Instant(milliseconds(ms)); }
}  // namespace

TEST_CASE("a lease is safe from the send time of the last acknowledged keepalive, less a margin") {
  SafeUntil lease(milliseconds(1000), at(5000));
  CHECK(lease.until() == at(5900));
  lease.sent();
  CHECK(lease.until() == at(5900));  // a keepalive that nobody answered promises nothing
  lease.acknowledged(at(5300), milliseconds(1000));
  CHECK(lease.until() == at(6200));  // not the time of the answer
  CHECK(lease.is_safe(at(6199)));
  CHECK_FALSE(lease.is_safe(at(6200)));
  CHECK(lease.safe_for(at(6000)) == Duration(milliseconds(200)));
  CHECK(lease.safe_for(at(9000)) == Duration(0));
}

TEST_CASE(
    "a holder is unsafe before the service could give its lock away, with clocks off by five per cent") {
  milliseconds ttl(10'000);
  SafeUntil lease(ttl, at(0));
  auto held_on_a_slow_clock = lease.until().time_since_epoch() * 100 / 95;
  auto ttl_on_a_fast_clock = Duration(ttl) * 100 / 105;
  CHECK(held_on_a_slow_clock < ttl_on_a_fast_clock);
}

TEST_CASE("a keepalive is due every third of the TTL and never twice at once") {
  SafeUntil lease(milliseconds(900), at(0));
  CHECK(lease.due() == at(300));
  lease.sent();
  CHECK(lease.due() == kNever);
  lease.acknowledged(at(310), milliseconds(900));
  CHECK(lease.due() == at(610));
}

TEST_CASE("a failed keepalive is repeated soon, several times within what is left") {
  SafeUntil lease(milliseconds(900), at(0));
  lease.sent();
  lease.failed(at(400));
  CHECK(lease.due() > at(400));
  CHECK(lease.due() <= at(450));
  CHECK(lease.until() == at(810));
}

TEST_CASE("two members in a row may be silent, and a third still hears of the lease in time") {
  const milliseconds ttl = GENERATE(milliseconds(300), milliseconds(600), milliseconds(10'000));
  SafeUntil lease(ttl, at(0));
  for (int silent = 0; silent < 2; ++silent) {
    const Instant sent = lease.due();
    lease.sent();
    lease.failed(sent + lease.patience());
  }
  CHECK(lease.due() + Duration(ttl) / 10 < lease.until());
}

TEST_CASE("an answer that was overtaken by a newer one takes nothing back") {
  SafeUntil lease(milliseconds(1000), at(0));
  lease.acknowledged(at(600), milliseconds(1000));
  lease.acknowledged(at(300), milliseconds(1000));
  CHECK(lease.until() == at(1500));
}
