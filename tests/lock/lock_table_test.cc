#include "lock/lock_table.h"

#include <catch2/catch.hpp>

#include "tests/lock/lock_fixture.h"

using namespace holdfast;
using namespace holdfast::lock;

namespace {

constexpr LeaseId kA{101};
constexpr LeaseId kB{102};
constexpr LeaseId kC{103};
constexpr LeaseId kD{104};

using Types = std::vector<ChangeType>;

}  // namespace

TEST_CASE("of those who try one holds the lock, and the others are told by whom it is held") {
  Locks locks;
  CHECK(locks.try_once("deploy", kA).value() == Acquired{Token(1), 0});
  const auto refused = locks.try_once("deploy", kB);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kLockHeld);
  CHECK(refused.error().message == "lock \"deploy\" is held by \"owner-101\" under token 1");
  CHECK(locks.changes.empty());
  CHECK(locks.try_once("other", kB).value().token == Token(2));
}

TEST_CASE("a queue is served strictly in the order of its acquires, one at a time") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  CHECK(locks.queue("deploy", kC).value() == Acquired{Token(), 1});
  CHECK(locks.queue("deploy", kB).value() == Acquired{Token(), 2});
  CHECK(locks.types() == Types{ChangeType::kQueued});
  REQUIRE(locks.release("deploy", Token(1)));
  CHECK(locks.types() == Types{ChangeType::kReleased, ChangeType::kGranted});
  CHECK(locks.holder("deploy").lease == kC);
  CHECK(locks.holder("deploy").since == locks.now);
  CHECK_FALSE(locks.try_once("deploy", kD));
  REQUIRE(locks.release("deploy", Token(2)));
  CHECK(locks.holder("deploy").lease == kB);
  REQUIRE(locks.release("deploy", Token(3)));
  CHECK(locks.table.find("deploy") == nullptr);
  CHECK(locks.table.all().empty());
}

TEST_CASE("a release by a token that does not hold the lock is an error without effect") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  REQUIRE(locks.queue("deploy", kB));
  REQUIRE(locks.release("deploy", Token(1)));
  for (const Token token : {Token(1), Token(3), Token(0)}) {
    const auto refused = locks.release("deploy", token);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::kNotHolder);
    CHECK(locks.changes.empty());
  }
  CHECK(locks.release("nothing", Token(2)).error().code == Errc::kNotHolder);
  CHECK(locks.holder("deploy").token == Token(2));
}

TEST_CASE("who asks again meets the same claim: the same token, or the same place") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  REQUIRE(locks.queue("deploy", kB));
  REQUIRE(locks.queue("deploy", kC));
  CHECK(locks.queue("deploy", kA).value() == Acquired{Token(1), 0});
  CHECK(locks.try_once("deploy", kA).value() == Acquired{Token(1), 0});
  CHECK(locks.queue("deploy", kC).value() == Acquired{Token(), 2});
  CHECK(locks.changes.empty());
  CHECK(locks.table.find("deploy")->queue.size() == 2);
}

TEST_CASE("a newer attempt takes a waiter's place over, and the older one is told") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  REQUIRE(locks.queue("deploy", kB, 1));
  REQUIRE(locks.queue("deploy", kC));
  auto wish = locks.wish("deploy", kB, true, 2);
  wish.wait = milliseconds(500);
  CHECK(locks.acquire(wish).value() == Acquired{Token(), 1});
  REQUIRE(locks.types() == Types{ChangeType::kCancelled});
  CHECK(locks.changes[0].attempt == 1);
  CHECK(locks.changes[0].lease == kB);
  CHECK(locks.table.next_deadline() == locks.now + milliseconds(500));
  CHECK(locks.queue("deploy", kB, 1).error().code == Errc::kCancelled);
  locks.cancel("deploy", kB, 1);
  CHECK(locks.changes.empty());
  REQUIRE(locks.release("deploy", Token(1)));
  CHECK(locks.changes[1].attempt == 2);
  CHECK_FALSE(locks.table.next_deadline());
}

TEST_CASE("a newer attempt takes a holder's token over, so that a late cancel of the older does no harm") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA, 1));
  CHECK(locks.queue("deploy", kA, 2).value().token == Token(1));
  locks.cancel("deploy", kA, 1);
  CHECK(locks.holder("deploy").attempt == 2);
  CHECK(locks.queue("deploy", kA, 1).error().code == Errc::kCancelled);
  locks.cancel("deploy", kA, 2);
  CHECK(locks.types() == Types{ChangeType::kReleased});
  CHECK(locks.table.find("deploy") == nullptr);
}

TEST_CASE("a try by a lease that waits is refused and does not disturb the wait") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  REQUIRE(locks.queue("deploy", kB, 1));
  CHECK(locks.try_once("deploy", kB, 2).error().code == Errc::kLockHeld);
  CHECK(locks.changes.empty());
  REQUIRE(locks.release("deploy", Token(1)));
  CHECK(locks.holder("deploy").lease == kB);
  CHECK(locks.holder("deploy").attempt == 1);
}

TEST_CASE("a cancel leaves the queue, or releases if the grant came first, and may be repeated") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  REQUIRE(locks.queue("deploy", kB));
  REQUIRE(locks.queue("deploy", kC));
  locks.cancel("deploy", kB);
  CHECK(locks.types() == Types{ChangeType::kCancelled});
  locks.cancel("deploy", kB);
  CHECK(locks.changes.empty());
  REQUIRE(locks.release("deploy", Token(1)));
  CHECK(locks.holder("deploy").lease == kC);
  locks.cancel("deploy", kC);
  CHECK(locks.types() == Types{ChangeType::kReleased});
  locks.cancel("nothing", kC);
  CHECK(locks.table.all().empty());
}

TEST_CASE("a waiter is removed only once its deadline has come") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  auto wish = locks.wish("deploy", kB, true, 1);
  wish.wait = milliseconds(100);
  REQUIRE(locks.acquire(wish));
  REQUIRE(locks.queue("deploy", kC));
  CHECK(locks.table.next_deadline() == ClusterTime(1100));
  CHECK(locks.table.overdue(ClusterTime(1099), 10).empty());
  const auto overdue = locks.table.overdue(ClusterTime(1100), 10);
  REQUIRE(overdue == std::vector<OverdueWaiter>{{"deploy", kB, 2}});

  locks.now = ClusterTime(1099);  // proposed by a leader that ran ahead
  locks.table.time_out(overdue[0], locks.begin(), locks.changes);
  CHECK(locks.changes.empty());
  locks.now = ClusterTime(1100);
  locks.table.time_out({"deploy", kC, 2}, locks.begin(), locks.changes);
  locks.table.time_out({"deploy", kC, 3}, locks.begin(), locks.changes);
  locks.table.time_out({"nothing", kB, 2}, locks.begin(), locks.changes);
  CHECK(locks.changes.empty());
  locks.table.time_out(overdue[0], locks.begin(), locks.changes);
  CHECK(locks.types() == Types{ChangeType::kWaitTimedOut});
  CHECK_FALSE(locks.table.next_deadline());
  CHECK(locks.table.find("deploy")->queue.position(3) == 1);
}

TEST_CASE("a waiter that was granted in time is not timed out") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  auto wish = locks.wish("deploy", kB, true, 1);
  wish.wait = milliseconds(0);
  REQUIRE(locks.acquire(wish));
  const auto overdue = locks.table.overdue(locks.now, 10);
  REQUIRE(overdue.size() == 1);
  REQUIRE(locks.release("deploy", Token(1)));
  locks.table.time_out(overdue[0], locks.begin(), locks.changes);
  CHECK(locks.changes.empty());
  CHECK(locks.holder("deploy").lease == kB);
}

TEST_CASE("a wait without measure has a deadline far away, not one in the past") {
  Locks locks;
  REQUIRE(locks.queue("deploy", kA));
  auto wish = locks.wish("deploy", kB, true, 1);
  wish.wait = milliseconds::max();
  REQUIRE(locks.acquire(wish));
  CHECK(locks.table.next_deadline() == ClusterTime::max());
  CHECK(locks.table.overdue(ClusterTime(1u << 30), 10).empty());
}

TEST_CASE("a grant passes over waiters whose lease has ended, and removes them") {
  Locks locks;
  for (const LeaseId lease : {kA, kB, kC, kD}) REQUIRE(locks.queue("deploy", lease));
  locks.dead = {kB, kC};
  REQUIRE(locks.release("deploy", Token(1)));
  CHECK(locks.types() ==
        Types{ChangeType::kReleased, ChangeType::kLeaseEnded, ChangeType::kLeaseEnded, ChangeType::kGranted});
  CHECK(locks.holder("deploy").lease == kD);
  CHECK(locks.holder("deploy").token == Token(2));
  CHECK_FALSE(locks.table.attached_to(kB));
  CHECK(locks.end_lease(kB) == 0);
}

TEST_CASE("when every waiter's lease has ended the lock is free") {
  Locks locks;
  for (const LeaseId lease : {kA, kB, kC}) REQUIRE(locks.queue("deploy", lease));
  locks.dead = {kB, kC};
  CHECK(locks.end_lease(kA) == 1);
  CHECK(locks.table.all().empty());
  CHECK(locks.table.last_token() == Token(1));
}

TEST_CASE("every grant takes the next token, also when one command grants several") {
  Locks locks;
  for (const char* lock : {"a", "b", "c"}) REQUIRE(locks.queue(lock, kA));
  for (const char* lock : {"c", "a", "b"}) REQUIRE(locks.queue(lock, kB));
  CHECK(locks.end_lease(kA) == 3);
  std::vector<Token> tokens;
  for (const Change& change : locks.changes) {
    if (change.type == ChangeType::kGranted) tokens.push_back(change.token);
    CHECK(change.revision == Revision(locks.step));
  }
  CHECK(tokens == std::vector<Token>{Token(4), Token(5), Token(6)});
  CHECK(locks.table.last_token() == Token(6));
}

TEST_CASE("the claims of an ending lease go in batches") {
  Locks locks;
  for (int i = 0; i < 25; ++i) REQUIRE(locks.queue("lock-" + std::to_string(i), kA));
  CHECK(locks.end_lease(kA, 10) == 10);
  CHECK(locks.end_lease(kA, 10) == 10);
  CHECK(locks.end_lease(kA, 10) == 5);
  CHECK(locks.table.all().empty());
}
