#include <catch2/catch.hpp>
#include <optional>

#include "base/random.h"
#include "tests/lock/lock_fixture.h"

// The lock table against a model that is too simple to be wrong: plain vectors, searched from the front.

using namespace holdfast;
using namespace holdfast::lock;

namespace {

constexpr std::uint64_t kLeases = 12;
constexpr int kLocks = 3;

struct Model {
  struct Place {
    LeaseId lease;
    std::uint64_t number = 0;  // ticket, or token
    std::uint64_t attempt = 0;
    std::optional<ClusterTime> deadline;
  };
  struct OneLock {
    std::optional<Place> holder;
    std::vector<Place> queue;
  };
  std::map<std::string, OneLock> locks;
  std::set<LeaseId> dead;
  std::uint64_t tokens = 0;

  void promote(OneLock& lock) {
    lock.holder.reset();
    while (!lock.queue.empty() && !lock.holder) {
      Place first = lock.queue.front();
      lock.queue.erase(lock.queue.begin());
      if (!dead.contains(first.lease)) lock.holder = Place{first.lease, ++tokens, first.attempt, {}};
    }
  }
  void acquire(const Acquire& wish, std::uint64_t ticket, ClusterTime now) {
    OneLock& lock = locks[wish.lock];
    std::optional<ClusterTime> deadline;
    if (wish.wait) deadline = now + *wish.wait;
    if (lock.holder && lock.holder->lease == wish.lease) {
      lock.holder->attempt = std::max(lock.holder->attempt, wish.attempt);
      return;
    }
    for (Place& place : lock.queue) {
      if (place.lease != wish.lease) continue;
      if (wish.queue && wish.attempt > place.attempt) {
        place.attempt = wish.attempt;
        place.deadline = deadline;
      }
      return;
    }
    if (!lock.holder) {
      lock.holder = Place{wish.lease, ++tokens, wish.attempt, {}};
    } else if (wish.queue) {
      lock.queue.push_back(Place{wish.lease, ticket, wish.attempt, deadline});
    }
  }
  void leave(const std::string& name, const std::function<bool(const Place&)>& who) {
    OneLock& lock = locks[name];
    std::erase_if(lock.queue, who);
    if (lock.holder && who(*lock.holder)) promote(lock);
  }
};

struct Run {
  explicit Run(std::uint64_t seed) : random(seed) {}

  Random random;
  Locks locks;
  Model model;
  std::uint64_t born = kLeases;
  std::vector<LeaseId> leases;
  Token highest;

  std::string any_lock() { return "lock-" + std::to_string(random.below(kLocks)); }
  LeaseId any_lease() {
    while (leases.size() < kLeases) leases.push_back(LeaseId(++born));
    return leases[random.below(leases.size())];
  }

  void acquire() {
    Acquire wish = locks.wish(any_lock(), any_lease(), random.chance(70), random.between(1, 3));
    if (random.chance(40)) wish.wait = milliseconds(random.below(50));
    const auto acquired = locks.acquire(wish);
    model.acquire(wish, locks.step, locks.now);
    if (!acquired || acquired->token) return;
    const auto& queue = model.locks[wish.lock].queue;
    REQUIRE(acquired->position >= 1);
    REQUIRE(acquired->position <= queue.size());
    CHECK(queue[acquired->position - 1].lease == wish.lease);
  }
  void cancel() {
    const std::string lock = any_lock();
    const LeaseId lease = any_lease();
    const std::uint64_t attempt = random.between(1, 3);
    locks.cancel(lock, lease, attempt);
    model.leave(lock, [&](const Model::Place& p) { return p.lease == lease && p.attempt == attempt; });
  }
  void release() {
    const std::string lock = any_lock();
    const auto& holder = model.locks[lock].holder;
    const Token token(holder && random.chance(80) ? holder->number : random.below(model.tokens + 2));
    const bool right = holder && holder->number == token.value();
    CHECK(locks.release(lock, token).has_value() == right);
    if (right) model.promote(model.locks[lock]);
  }
  /// Several leases end in one command: all are dead before the first of their claims goes.
  void end_leases() {
    std::vector<LeaseId> ending;
    for (std::uint64_t count = random.between(1, 3); count > 0; --count) {
      ending.push_back(any_lease());
      std::erase(leases, ending.back());
    }
    locks.dead.insert(ending.begin(), ending.end());
    model.dead = locks.dead;
    for (const LeaseId lease : ending) {
      while (locks.end_lease(lease, random.between(1, 2)) > 0) {
      }
      for (auto& [name, lock] : model.locks) {
        model.leave(name, [&](const Model::Place& p) { return p.lease == lease; });
      }
    }
  }
  void time_passes() {
    locks.now += milliseconds(random.below(30));
    for (const OverdueWaiter& overdue : locks.table.overdue(locks.now, 100)) {
      locks.table.time_out(overdue, locks.begin(), locks.changes);
      CHECK(locks.changes.size() == 1);
    }
    for (auto& [name, lock] : model.locks) {
      std::erase_if(lock.queue,
                    [&](const Model::Place& p) { return p.deadline && *p.deadline <= locks.now; });
    }
  }
  void step() {
    locks.changes.clear();
    switch (random.below(8)) {
      case 0:
        return cancel();
      case 1:
      case 2:
        return release();
      case 3:
        return random.chance(30) ? end_leases() : time_passes();
      default:
        return acquire();
    }
  }

  void compare() {
    CHECK(locks.table.last_token() == Token(model.tokens));
    std::size_t held = 0;
    for (const auto& [name, expected] : model.locks) {
      const Lock* lock = locks.table.find(name);
      REQUIRE((lock != nullptr) == expected.holder.has_value());
      if (!lock) continue;
      ++held;
      REQUIRE(lock->holders.size() == 1);
      const Holder& holder = lock->holders.begin()->second;
      CHECK(holder.lease == expected.holder->lease);
      CHECK(holder.token == Token(expected.holder->number));
      CHECK(holder.attempt == expected.holder->attempt);
      CHECK_FALSE(locks.dead.contains(holder.lease));
      REQUIRE(lock->queue.size() == expected.queue.size());
      std::size_t position = 0;
      for (const auto& [ticket, waiter] : lock->queue.waiters()) {
        const Model::Place& place = expected.queue[position++];
        CHECK(ticket == place.number);
        CHECK(waiter.lease == place.lease);
        CHECK(waiter.attempt == place.attempt);
        CHECK(waiter.deadline == place.deadline);
        CHECK(lock->queue.position(ticket) == position);
      }
    }
    CHECK(held == locks.table.all().size());
    for (const Change& change : locks.changes) {
      if (change.type != ChangeType::kGranted) continue;
      CHECK(change.token > highest);
      highest = change.token;
    }
  }
};

}  // namespace

TEST_CASE("whatever happens, a lock has one holder, its queue keeps its order, and tokens only rise") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Run run(seed);
    for (int i = 0; i < 500; ++i) {
      run.step();
      run.compare();
    }
  }
}

TEST_CASE("a queue of ten thousand is joined, left and served without walking it") {
  Locks locks;
  constexpr std::uint64_t kWaiters = 10'000;
  for (std::uint64_t i = 1; i <= kWaiters; ++i) {
    CHECK(locks.queue("deploy", LeaseId(i)).value().position == i - 1);
  }
  const Queue& queue = locks.table.find("deploy")->queue;
  CHECK(queue.position(kWaiters) == kWaiters - 1);
  for (std::uint64_t i = 2; i <= kWaiters; i += 2) locks.cancel("deploy", LeaseId(i));
  CHECK(queue.size() == kWaiters / 2 - 1);
  locks.table.freeze();
  CHECK(locks.table.take_holders(10).size() == 1);
  CHECK(locks.table.take_waiters(2 * kWaiters).size() == kWaiters / 2 - 1);
  REQUIRE(locks.release("deploy", Token(1)));
  // One claim left the queue and one began to hold: nothing else is written for it.
  CHECK(locks.table.pending() == 3);
  locks.table.freeze();
  CHECK(locks.table.take_holders(10).size() == 2);
  CHECK(locks.table.take_waiters(10).size() == 1);
}
