#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>

#include "tests/client/options.h"
#include "tests/client/stopped_clock.h"

using namespace holdfast::client;
using holdfast::fake::eventually;
using holdfast::fake::options_for;
using holdfast::fake::Service;
using holdfast::fake::StoppedClock;
using holdfast::fake::World;
using Kind = holdfast::fake::Fault::Kind;
using namespace std::chrono_literals;

namespace {

std::size_t leases(Service& service) {
  return service.world([](World& world) { return world.leases.size(); });
}
std::size_t claims(Service& service, const std::string& lock) {
  return service.world([&](World& world) { return world.locks[lock].size(); });
}

/// A keepalive was acknowledged. One that a starved machine was too slow for is sent again a twentieth of the
/// TTL later, which the stopped clock has to be told.
bool kept_alive(const Lock& lock, std::chrono::milliseconds ttl, StoppedClock& clock) {
  const auto fresh = [&] { return lock.safe_for() > ttl * 3 / 4; };
  for (int tries = 0; tries < 8; ++tries) {
    if (eventually(fresh, 60)) return true;
    clock.advance(ttl / 20);
  }
  return false;
}

}  // namespace

TEST_CASE("a lock is held until its guard is gone, under a lease that is kept alive") {
  Service service;
  Client client(options_for(service));
  StoppedClock clock;
  {
    auto lock = client.lock("deploy", {.ttl = 300ms, .owner = "me"});
    REQUIRE(lock);
    CHECK(lock->name() == "deploy");
    CHECK(lock->token() == 1);
    CHECK(lock->is_safe());
    CHECK(lock->safe_for() == 270ms);
    CHECK(client.locks("deploy")->at(0).holders.at(0).owner == "me");
    // Three times its TTL: only keepalives keep it safe so long.
    for (int thirds = 0; thirds < 9; ++thirds) {
      clock.advance(100ms);
      REQUIRE(kept_alive(*lock, 300ms, clock));
    }
    CHECK(lock->is_safe());
    auto second = client.lock("deploy", {.queue = false});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::kLockHeld);
  }
  CHECK(claims(service, "deploy") == 0);
  CHECK(client.lock("deploy", {.queue = false}));
  CHECK(eventually([&] { return leases(service) == 0; }));
}

TEST_CASE("releasing twice, or what was lost, is refused") {
  Service service;
  Client client(options_for(service));
  auto lock = client.lock("a");
  REQUIRE(lock);
  CHECK(lock->release());
  CHECK_FALSE(lock->is_safe());
  CHECK(lock->release().error().code == Errc::kNotHolder);

  auto lost = client.lock("a");
  REQUIRE(lost);
  service.world([&](World& world) { world.end_lease(lost->lease().value); });
  CHECK(lost->release().error().code == Errc::kNotHolder);
}

TEST_CASE("a release whose answer was lost succeeded, for nobody else can have ended a safe grant") {
  Service service;
  Client client(options_for(service));
  auto lock = client.lock("a");
  REQUIRE(lock);
  service.fault("locks.release", {Kind::kLoseAnswer});
  CHECK(lock->release());
}

TEST_CASE("the holder hears at once that the service has ended its lease") {
  Service service;
  Client client(options_for(service));
  std::promise<Error> told;
  auto lock = client.lock("a", {.ttl = 300ms, .on_lost = [&](const Error& error) { told.set_value(error); }});
  REQUIRE(lock);
  service.world([&](World& world) { world.end_lease(lock->lease().value); });
  CHECK(lock->wait_lost(2s));
  CHECK_FALSE(lock->is_safe());
  CHECK(told.get_future().get().code == Errc::kLeaseNotFound);
}

TEST_CASE("a holder that nobody answers stops believing before its TTL is over") {
  Service service;
  Client client(options_for(service));
  std::promise<Error> told;
  auto clock = std::make_unique<StoppedClock>();
  auto lock = client.lock("a", {.ttl = 600ms, .on_lost = [&](const Error& error) { told.set_value(error); }});
  REQUIRE(lock);
  service.freeze_member(0);
  clock->advance(539ms);
  CHECK(lock->is_safe());
  clock->advance(1ms);
  CHECK_FALSE(lock->is_safe());
  CHECK(lock->wait_lost(10s));
  clock.reset();
  CHECK(told.get_future().get().code == Errc::kUnavailable);
  service.freeze_member(0, false);
  // It is given up over there too, not kept for ever by nobody.
  CHECK(eventually([&] { return claims(service, "a") == 0 && leases(service) == 0; }));
}

TEST_CASE("keepalives go on at another member") {
  Service service(3);
  Client client(options_for(service));
  StoppedClock clock;
  auto lock = client.lock("a", {.ttl = 600ms});
  REQUIRE(lock);
  clock.advance(200ms);
  REQUIRE(kept_alive(*lock, 600ms, clock));
  int used = service.calls_at(0, "leases.keepAlive") > 0   ? 0
             : service.calls_at(1, "leases.keepAlive") > 0 ? 1
                                                           : 2;
  SECTION("when theirs dies") { service.stop_member(used); }
  SECTION("when theirs answers nothing") { service.freeze_member(used); }
  clock.advance(200ms);
  CHECK(kept_alive(*lock, 600ms, clock));
}

TEST_CASE("waiters get the lock in their order") {
  Service service;
  Client client(options_for(service));
  auto held = client.lock("q");
  REQUIRE(held);
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::future<void>> workers;
  for (int worker = 0; worker < 3; ++worker) {
    workers.push_back(std::async(std::launch::async, [&, worker] {
      auto lock = client.lock("q");
      std::lock_guard guard(mutex);  // Catch2's checks are for one thread at a time
      order.push_back(lock ? worker : -1);
    }));
    REQUIRE(eventually([&] { return claims(service, "q") == static_cast<std::size_t>(worker) + 2; }));
  }
  CHECK(held->release());
  for (auto& worker : workers) {
    worker.get();
  }
  CHECK(order == std::vector<int>{0, 1, 2});
}

TEST_CASE("a waiter whose member dies meets its own place in the queue at another") {
  Service service(3);
  Client holder(options_for(service));
  Client waiter(options_for(service));
  auto held = holder.lock("q");
  REQUIRE(held);
  auto waiting = std::async(std::launch::async, [&] { return waiter.lock("q"); });
  REQUIRE(eventually([&] { return claims(service, "q") == 2; }));
  service.break_connections();
  REQUIRE(eventually([&] { return service.calls("locks.acquire") >= 3; }));
  CHECK(claims(service, "q") == 2);
  REQUIRE(held->release());
  auto lock = waiting.get();
  REQUIRE(lock);
  CHECK(lock->token() == 2);
}

TEST_CASE("a waiter whose lease ended begins anew") {
  Service service;
  Client client(options_for(service));
  auto held = client.lock("q");
  REQUIRE(held);
  auto waiting = std::async(std::launch::async, [&] { return client.lock("q", {.ttl = 300ms}); });
  REQUIRE(eventually([&] { return claims(service, "q") == 2; }));
  service.world([](World& world) { world.end_lease(world.locks["q"].back().lease); });
  REQUIRE(eventually([&] { return claims(service, "q") == 2; }));
  REQUIRE(held->release());
  auto lock = waiting.get();
  REQUIRE(lock);
  CHECK(lock->is_safe());
}

TEST_CASE("a wait that is over leaves nothing behind") {
  Service service;
  Client client(options_for(service));
  auto held = client.lock("q");
  REQUIRE(held);
  auto late = client.lock("q", {.wait = 50ms});
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::kWaitTimedOut);
  CHECK(eventually([&] { return claims(service, "q") == 1 && leases(service) == 1; }));
}

TEST_CASE("giving up is repeated until a member has said that the claim is gone") {
  Service service;
  Client client(options_for(service));
  auto held = client.lock("q");
  REQUIRE(held);
  service.fault("locks.cancel", {Kind::kLoseCall});
  service.fault("locks.cancel", {Kind::kRefuse, holdfast::Errc::kUnavailable});
  auto waiting = std::async(std::launch::async, [&] { return client.lock("q"); });
  REQUIRE(eventually([&] { return claims(service, "q") == 2; }));
  client.cancel_waiting_locks();
  CHECK(waiting.get().error().code == Errc::kCancelled);
  CHECK(eventually([&] { return claims(service, "q") == 1 && leases(service) == 1; }));
  CHECK(service.calls("locks.cancel") == 3);
}

TEST_CASE("a caller of one thread gives up by what it answers while it waits") {
  Service service;
  Client client(options_for(service));
  auto held = client.lock("q");
  REQUIRE(held);
  int asked = 0;
  auto given_up = client.lock("q", {.keep_waiting = [&] { return ++asked < 3; }});
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == Errc::kCancelled);
  CHECK(asked == 3);
  CHECK(eventually([&] { return claims(service, "q") == 1; }));
}

TEST_CASE("a closed client gives up what it holds and what it waits for") {
  Service service;
  Client other(options_for(service));
  auto held = other.lock("q");
  REQUIRE(held);
  {
    auto client = std::make_unique<Client>(options_for(service));
    auto lock = client->lock("mine");
    REQUIRE(lock);
    std::atomic<bool> waits = false;
    LockOptions asked;
    asked.keep_waiting = [&waits] { return waits = true; };
    auto waiting = std::async(std::launch::async, [&] { return client->lock("q", asked); });
    REQUIRE(eventually([&] { return waits && claims(service, "q") == 2; }));
    Client closing = std::move(*client);
    { Client gone = std::move(closing); }
    CHECK(waiting.get().error().code == Errc::kCancelled);
    CHECK_FALSE(lock->is_safe());
    CHECK_FALSE(lock->release());
  }
  CHECK(claims(service, "mine") == 0);
  CHECK(claims(service, "q") == 1);
  CHECK(leases(service) == 1);
}

TEST_CASE("callbacks run where the options say, and may block there") {
  Service service;
  auto options = options_for(service);
  std::promise<std::function<void()>> handed;
  options.executor = [&](std::function<void()> task) { handed.set_value(std::move(task)); };
  Client client(options);
  bool called = false;
  auto lock = client.lock("a", {.ttl = 300ms, .on_lost = [&](const Error&) {
                                  called = true;
                                  CHECK(client.locks("a"));
                                }});
  REQUIRE(lock);
  service.world([&](World& world) { world.end_lease(lock->lease().value); });
  auto task = handed.get_future().get();
  CHECK_FALSE(called);
  task();
  CHECK(called);
}

TEST_CASE("a call that would wait for its own thread is refused") {
  Service service;
  Client client(options_for(service));
  std::promise<Errc> code;
  auto lock = client.lock(
      "a", {.ttl = 300ms, .on_lost = [&](const Error&) { code.set_value(client.get("/a").error().code); }});
  REQUIRE(lock);
  service.world([&](World& world) { world.end_lease(lock->lease().value); });
  CHECK(code.get_future().get() == Errc::kInvalidArgument);
}

TEST_CASE("an instance is registered as long as its guard lives") {
  Service service;
  Client client(options_for(service));
  {
    auto registration =
        client.register_instance("web", {.id = "web-1", .address = "10.0.0.1", .port = 80, .tags = {"blue"}});
    REQUIRE(registration);
    CHECK(registration->service() == "web");
    CHECK(registration->lease());
    auto found = client.resolve("web");
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(found->at(0).address == "10.0.0.1");
    CHECK(found->at(0).lease == registration->lease());
    CHECK(client.services()->at(0).instances == 1);
  }
  CHECK(client.resolve("web")->empty());
  CHECK(eventually([&] { return leases(service) == 0; }));
}

TEST_CASE("an instance whose lease was lost is registered anew under another") {
  Service service;
  Client client(options_for(service));
  std::atomic<int> lost = 0;
  auto registration = client.register_instance("web", {.id = "web-1"},
                                               {.ttl = 300ms, .on_lost = [&](const Error&) { ++lost; }});
  REQUIRE(registration);
  auto first = registration->lease();
  service.fault("registry.register", {Kind::kRefuse, holdfast::Errc::kUnavailable});
  service.world([&](World& world) { world.end_lease(first.value); });
  CHECK(eventually([&] { return registration->lease() != first && client.resolve("web")->size() == 1; }));
  CHECK(lost == 1);
  CHECK(registration->safe_for() > 0ms);
  CHECK(registration->deregister());
  CHECK(client.resolve("web")->empty());
}

TEST_CASE("an instance that is not to be registered anew tells that it is lost") {
  Service service;
  Client client(options_for(service));
  auto registration = client.register_instance("web", {.id = "web-1"}, {.ttl = 300ms, .re_register = false});
  REQUIRE(registration);
  CHECK_FALSE(registration->wait_lost(10ms));
  service.world([&](World& world) { world.end_lease(registration->lease().value); });
  CHECK(registration->wait_lost(2s));
  CHECK(registration->safe_for() == 0ms);
}

TEST_CASE("a deregistration by name reaches instances of other clients") {
  Service service;
  Client client(options_for(service));
  auto registration = client.register_instance("web", {.id = "web-1"});
  REQUIRE(registration);
  Client other(options_for(service));
  CHECK(other.deregister("web", "web-1"));
  CHECK(other.deregister("web", "web-1").error().code == Errc::kInstanceNotFound);
}
