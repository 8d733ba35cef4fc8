#include <catch2/catch.hpp>
#include <future>
#include <set>

#include "tests/client/options.h"

using namespace holdfast::client;
using holdfast::fake::eventually;
using holdfast::fake::Fault;
using holdfast::fake::options_for;
using holdfast::fake::Service;
using holdfast::fake::World;
using Kind = holdfast::fake::Fault::Kind;
using namespace std::chrono_literals;

TEST_CASE("what was put is read, listed page by page, and removed") {
  Service service;
  Client client(options_for(service, 30s));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(client.put("/a/" + std::to_string(i), "v" + std::to_string(i)));
  }
  REQUIRE(client.put("/b", std::string("\0\xff", 2)));

  auto all = client.get("/a/", {.prefix = true});
  REQUIRE(all);
  CHECK(all->count == 10);
  CHECK_FALSE(all->more);
  REQUIRE(all->entries.size() == 10);
  CHECK(all->entries[9].value == "v9");
  CHECK(service.calls("config.get") == 4);

  auto some = client.get("/a/", {.prefix = true, .limit = 5});
  REQUIRE(some);
  CHECK(some->entries.size() == 5);
  CHECK(some->count == 10);
  CHECK(some->more);

  CHECK(client.get("/b")->entries.at(0).value == std::string("\0\xff", 2));
  CHECK(client.get("/missing")->entries.empty());
  CHECK(client.get("/a/", {.prefix = true, .count_only = true})->count == 10);
  CHECK(client.remove("/a/", {.prefix = true})->deleted == 10);
  CHECK(client.get("", {.prefix = true})->count == 1);
}

TEST_CASE("a read of many pages begins anew when its revision is gone") {
  Service service;
  Client client(options_for(service, 30s));
  for (int i = 0; i < 7; ++i) {
    REQUIRE(client.put("/k" + std::to_string(i), "v"));
  }
  // Before the second page a key is put in front of the first.
  service.on_call("config.get", 2, [](World& world) { REQUIRE(world.put("/k", "new", std::nullopt)); });
  auto all = client.get("/k", {.prefix = true});
  REQUIRE(all);
  CHECK(all->entries.size() == 8);
  CHECK(all->entries.at(0).value == "new");
  CHECK(all->revision == service.world([](World& world) { return world.revision; }));
  CHECK(service.calls("config.get") == 5);
}

TEST_CASE("a compare that fails carries the revision the key has") {
  Service service;
  Client client(options_for(service, 30s));
  auto first = client.put("/a", "1", {.if_revision = 0});
  REQUIRE(first);
  auto second = client.put("/a", "2", {.if_revision = 0});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::kRevisionMismatch);
  CHECK(second.error().revision == *first);
  CHECK(client.put("/a", "2", {.if_revision = *first}));
}

TEST_CASE("a write whose answer was lost is sent again under its stamp and runs once") {
  Service service;
  Client client(options_for(service, 30s));
  REQUIRE(client.put("/a", "0"));
  service.fault("config.put", {Kind::kLoseAnswer});
  service.fault("config.put", {Kind::kLoseCall});
  auto revision = client.put("/a", "1");
  REQUIRE(revision);
  CHECK(service.calls("config.put") == 4);
  CHECK(service.world([](World& world) { return world.entries["/a"].version; }) == 2);
  auto stamps = service.world([](World& world) { return world.stamps; });
  auto last = stamps.back();
  CHECK(last.session != 0);
  CHECK(stamps[stamps.size() - 2].sequence == last.sequence);
}

TEST_CASE("a write without a session whose answer was lost is unknown, and is not sent again") {
  Service service;
  Client client(options_for(service, 0s));
  service.fault("config.put", {Kind::kLoseAnswer});
  auto lost = client.put("/a", "1");
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == Errc::kUnknown);
  CHECK(service.calls("config.put") == 1);
  CHECK(service.calls("leases.grant") == 0);
  CHECK(client.put("/a", "2"));
}

TEST_CASE("a refusal that had no effect is repeated, also without a session") {
  Service service;
  Client client(options_for(service, 0s));
  service.fault("config.put", {Kind::kRefuse, holdfast::Errc::kUnavailable});
  service.fault("config.put", {Kind::kRefuse, holdfast::Errc::kNotLeader});
  CHECK(client.put("/a", "1"));
  CHECK(service.calls("config.put") == 3);
}

TEST_CASE("a session that ended before the write was sent is replaced, and its stamps are not used again") {
  Service service;
  Client client(options_for(service, 30s));
  REQUIRE(client.put("/a", "1"));
  auto session = service.world([](World& world) { return world.stamps.back().session; });
  service.world([&](World& world) { world.end_lease(session); });
  REQUIRE(client.put("/a", "2"));
  auto stamps = service.world([](World& world) { return world.stamps; });
  CHECK(stamps.back().session != session);
  CHECK(service.world([](World& world) { return world.entries["/a"].version; }) == 2);
}

TEST_CASE("a write that may have taken effect under a session that then ended is unknown") {
  Service service;
  Client client(options_for(service, 30s));
  REQUIRE(client.put("/a", "1"));
  service.fault("config.put", {Kind::kLoseAnswer});
  // The answer is lost and the session with it, before the repetition comes.
  service.fault("config.put", {Kind::kRefuse, holdfast::Errc::kLeaseNotFound});
  auto lost = client.put("/a", "2");
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == Errc::kUnknown);
  CHECK(service.world([](World& world) { return world.entries["/a"].version; }) == 2);
}

TEST_CASE("a lease that the write names is told apart from the session") {
  Service service;
  Client client(options_for(service, 30s));
  auto refused = client.put("/a", "1", {.lease = {424242}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kLeaseNotFound);
  auto session = service.world([](World& world) { return world.stamps.back().session; });
  REQUIRE(client.put("/a", "1"));
  CHECK(service.world([](World& world) { return world.stamps.back().session; }) == session);
}

TEST_CASE("a member that dies is replaced without the caller noticing") {
  Service service(3);
  Client client(options_for(service, 30s));
  REQUIRE(client.put("/a", "1"));
  int used = service.calls_at(0, "config.put") == 1 ? 0 : service.calls_at(1, "config.put") == 1 ? 1 : 2;
  service.stop_member(used);
  REQUIRE(client.put("/a", "2"));
  CHECK(client.get("/a")->entries.at(0).value == "2");
}

TEST_CASE("a member that takes calls and answers none is left for another within the call's time") {
  Service service(3);
  auto options = options_for(service, 30s);
  options.call_timeout = 20s;
  Client client(options);
  REQUIRE(client.put("/a", "1"));
  int used = service.calls_at(0, "config.put") == 1 ? 0 : service.calls_at(1, "config.put") == 1 ? 1 : 2;
  service.freeze_member(used);
  const auto start = std::chrono::steady_clock::now();
  CHECK(client.put("/a", "2"));
  // It is asked whether it is there; half of the call's timeout is not waited for.
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  CHECK(service.world([](World& world) { return world.entries["/a"].version; }) == 2);
}

TEST_CASE("an unreachable cluster is unavailable within the call's timeout, and every endpoint is named") {
  Service service(2);
  auto options = options_for(service, 30s);
  options.call_timeout = 300ms;
  service.stop_member(0);
  service.stop_member(1);
  Client client(options);
  auto start = std::chrono::steady_clock::now();
  auto result = client.get("/a");
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::kUnavailable);
  for (const auto& endpoint : options.endpoints) {
    CHECK(result.error().message.find(endpoint) != std::string::npos);
  }
  CHECK(result.error().message.find("refused") != std::string::npos);
  CHECK(client.put("/a", "1").error().code == Errc::kUnavailable);
}

TEST_CASE("a write that nobody answers in time is unknown") {
  Service service;
  auto options = options_for(service, 30s);
  options.call_timeout = 300ms;
  Client client(options);
  REQUIRE(client.put("/a", "1"));
  for (int i = 0; i < 20; ++i) {
    service.fault("config.put", {Kind::kHang});
  }
  auto lost = client.put("/a", "2");
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == Errc::kUnknown);
}

TEST_CASE("options that make no sense show in the first call") {
  CHECK(Client({.endpoints = {}}).get("/a").error().code == Errc::kInvalidArgument);
  auto error = Client({.endpoints = {"nowhere"}}).get("/a").error();
  CHECK(error.code == Errc::kInvalidArgument);
  CHECK(error.message.find("nowhere") != std::string::npos);
}

TEST_CASE("a request that is too large names its limit and changes nothing") {
  Service service;
  Client client(options_for(service, 0s));
  auto refused = client.put("/a", std::string(2 << 20, 'x'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kLimitExceeded);
  CHECK(refused.error().message.find("kMaxRequestBytes") != std::string::npos);
  CHECK(client.put("/a", "small"));
}

TEST_CASE("many threads share a client, and each write runs once although connections break") {
  Service service(3);
  Client client(options_for(service, 30s));
  std::vector<std::future<int>> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.push_back(std::async(std::launch::async, [&client, thread] {
      int done = 0;
      for (int i = 0; i < 50; ++i) {
        done += client.put("/" + std::to_string(thread), std::to_string(i)).has_value() ? 1 : 0;
      }
      return done;
    }));
  }
  for (int i = 0; i < 5; ++i) {
    int before = service.calls("config.put");
    eventually([&] { return service.calls("config.put") > before + 10; });
    service.break_connections();
  }
  int done = 0;
  for (auto& thread : threads) {
    done += thread.get();
  }
  CHECK(done == 200);
  for (int thread = 0; thread < 4; ++thread) {
    CHECK(service.world([&](World& world) { return world.entries["/" + std::to_string(thread)].version; }) ==
          50);
  }
}

TEST_CASE("leases are granted, kept, shown, listed and revoked") {
  Service service;
  Client client(options_for(service, 0s));
  auto lease = client.grant_lease(10s);
  REQUIRE(lease);
  CHECK(lease->ttl == 10s);
  CHECK(client.keep_alive({lease->lease, LeaseId{7}}).value() == std::vector<milliseconds>{10s, 0s});
  CHECK(client.show_lease(lease->lease)->remaining == 5s);
  CHECK(client.list_leases()->size() == 1);
  CHECK(client.revoke_lease(lease->lease));
  CHECK(client.revoke_lease(lease->lease).error().code == Errc::kLeaseNotFound);
  CHECK(client.show_lease(lease->lease).error().code == Errc::kLeaseNotFound);
}

TEST_CASE("a revocation whose answer was lost is done, not refused") {
  Service service;
  Client client(options_for(service, 0s));
  auto lease = client.grant_lease(10s);
  REQUIRE(lease);
  service.fault("leases.revoke", {Kind::kLoseAnswer});
  CHECK(client.revoke_lease(lease->lease));
  CHECK(service.calls("leases.revoke") == 2);
}

TEST_CASE("the status comes from whichever member answers") {
  Service service(3);
  service.stop_member(0);
  Client client(options_for(service, 30s));
  auto status = client.status();
  REQUIRE(status);
  CHECK(status->leader == "n1");
  CHECK(status->members.size() == 3);
  CHECK(status->members[0].role == "leader");
  CHECK(client.who_am_i()->starts_with("127.0.0.1:"));
}

TEST_CASE("a busy client goes to the leader by itself") {
  Service service(3);
  service.set_leader(2);
  auto options = options_for(service, 30s);
  options.endpoints.resize(1);
  Client client(options);
  CHECK(eventually([&] { return client.put("/a", "x") && service.calls_at(2, "config.put") > 0; }));
}

TEST_CASE("a closed client ends its session") {
  Service service;
  {
    Client client(options_for(service, 30s));
    REQUIRE(client.put("/a", "1"));
    CHECK(service.world([](World& world) { return world.leases.size(); }) == 1);
  }
  CHECK(service.world([](World& world) { return world.leases.size(); }) == 0);
}
