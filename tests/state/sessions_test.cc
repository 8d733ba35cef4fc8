#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/state/cluster_of_one.h"

using namespace holdfast;
using namespace holdfast::state;

TEST_CASE("a call that is sent again has its first outcome and no further effect") {
  ClusterOfOne cluster;
  const LeaseId session = cluster.grant();
  const Applied first = cluster.put("/a", "1", {}, {session, 1, 1});
  CHECK(first.fresh);
  cluster.put("/a", "2");
  const Applied again = cluster.put("/a", "1", {}, {session, 1, 1});
  CHECK_FALSE(again.fresh);
  CHECK(revision_of(again) == revision_of(first));
  CHECK(again.events.empty());
  CHECK(cluster.machine.config().find("/a")->value() == "2");
  CHECK(cluster.machine.revision() == Revision(2));
}

TEST_CASE("without a session a command runs each time it is committed") {
  ClusterOfOne cluster;
  CHECK(revision_of(cluster.put("/a", "1")) == Revision(1));
  CHECK(revision_of(cluster.put("/a", "1")) == Revision(2));
}

TEST_CASE("a refusal is an outcome too, and is repeated even when it would now succeed") {
  ClusterOfOne cluster;
  const LeaseId session = cluster.grant();
  const LeaseId other = cluster.grant();
  const Token token = acquired_of(cluster.acquire("deploy", other)).token;
  const lock::Acquire wish{"deploy", session, lock::Mode::kExclusive, "", false, {}, 1};
  CHECK(code_of(cluster.apply(wish, {session, 1, 1})) == Errc::kLockHeld);
  REQUIRE(cluster.apply(ReleaseLock{"deploy", token}).reply);
  const Applied again = cluster.apply(wish, {session, 1, 1});
  CHECK(code_of(again) == Errc::kLockHeld);
  CHECK_FALSE(again.fresh);
  CHECK(acquired_of(cluster.apply(wish, {session, 2, 1})).token == Token(2));
}

TEST_CASE("calls may come in any order within the window") {
  ClusterOfOne cluster;
  const LeaseId session = cluster.grant();
  CHECK(cluster.put("/c", "3", {}, {session, 3, 1}).fresh);
  CHECK(cluster.put("/a", "1", {}, {session, 1, 1}).fresh);
  CHECK(cluster.put("/b", "2", {}, {session, 2, 1}).fresh);
  CHECK_FALSE(cluster.put("/c", "3", {}, {session, 3, 1}).fresh);
  CHECK(cluster.machine.revision() == Revision(3));
}

TEST_CASE("an acknowledged outcome is forgotten: asked again it is unknown, and nothing runs") {
  ClusterOfOne cluster;
  const LeaseId session = cluster.grant();
  cluster.put("/a", "1", {}, {session, 1, 1});
  cluster.put("/a", "2", {}, {session, 2, 2});
  CHECK(code_of(cluster.put("/a", "1", {}, {session, 1, 1})) == Errc::kUnknown);
  // A call that never ran, but that its client gave up: it must not run now.
  cluster.put("/a", "5", {}, {session, 5, 5});
  CHECK(code_of(cluster.put("/a", "4", {}, {session, 4, 1})) == Errc::kUnknown);
  CHECK(cluster.machine.config().find("/a")->value() == "5");
  CHECK(cluster.machine.revision() == Revision(3));
}

TEST_CASE("a cancel that acknowledges its acquire keeps a late copy of it from joining the queue") {
  ClusterOfOne cluster;
  const LeaseId lease = cluster.grant();
  const lock::Acquire wish{"deploy", lease, lock::Mode::kExclusive, "", true, {}, 1};
  REQUIRE(cluster.apply(CancelAcquire{"deploy", lease, 1}, {lease, 2, 2}).reply);
  CHECK(code_of(cluster.apply(wish, {lease, 1, 1})) == Errc::kUnknown);
  CHECK(cluster.machine.locks().all().empty());
}

TEST_CASE("a full window refuses new calls, answers old ones, and opens by acknowledging") {
  ClusterOfOne cluster;
  const LeaseId session = cluster.grant();
  for (std::uint64_t sequence = 1; sequence <= limits::kSessionWindow; ++sequence) {
    REQUIRE(cluster.put("/a", "x", {}, {session, sequence, 1}).fresh);
  }
  const std::uint64_t next = limits::kSessionWindow + 1;
  CHECK(code_of(cluster.put("/a", "y", {}, {session, next, 1})) == Errc::kSessionWindowFull);
  CHECK(cluster.machine.revision() == Revision(limits::kSessionWindow));
  CHECK_FALSE(cluster.put("/a", "x", {}, {session, 1, 1}).fresh);
  CHECK(revision_of(cluster.put("/a", "y", {}, {session, next, 2})) == Revision(next));
}

TEST_CASE("a session is a lease: it must be live, and ends with it") {
  ClusterOfOne cluster;
  CHECK(code_of(cluster.put("/a", "1", {}, {LeaseId(77), 1, 1})) == Errc::kLeaseNotFound);
  const LeaseId session = cluster.grant();
  cluster.put("/a", "1", {}, {session, 1, 1});
  cluster.apply(EndLeases{{session}});
  CHECK(code_of(cluster.put("/a", "1", {}, {session, 1, 1})) == Errc::kLeaseNotFound);
  CHECK(cluster.machine.config().find("/a")->version() == 1);
  CHECK(cluster.machine.leases().all().empty());
}

TEST_CASE("a session may revoke its own lease") {
  ClusterOfOne cluster;
  const LeaseId session = cluster.grant();
  cluster.put("/a", "1", session, {session, 1, 1});
  CHECK(cluster.apply(RevokeLease{session}, {session, 2, 1}).reply);
  CHECK(cluster.machine.leases().all().empty());
  CHECK(cluster.machine.config().all().empty());
  CHECK(code_of(cluster.apply(RevokeLease{session}, {session, 2, 1})) == Errc::kLeaseNotFound);
}

TEST_CASE("a sequence number of zero is refused") {
  ClusterOfOne cluster;
  const LeaseId session = cluster.grant();
  CHECK(code_of(cluster.put("/a", "1", {}, {session, 0, 0})) == Errc::kInvalidArgument);
  CHECK(cluster.machine.revision() == Revision(0));
}
