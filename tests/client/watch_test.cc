#include <catch2/catch.hpp>
#include <future>

#include "tests/client/options.h"

using namespace holdfast::client;
using holdfast::fake::eventually;
using holdfast::fake::options_for;
using holdfast::fake::Service;
using holdfast::fake::World;
using Kind = holdfast::fake::Fault::Kind;
using namespace std::chrono_literals;

namespace {

/// Writes without a client, so that nothing but the watch is tried.
void put(Service& service, const std::string& key, const std::string& value) {
  service.world([&](World& world) { REQUIRE(world.put(key, value, std::nullopt)); });
}

std::vector<std::string> take(Watch& watch, std::size_t count) {
  std::vector<std::string> values;
  while (values.size() < count) {
    auto event = watch.next(3s);
    REQUIRE(event);
    REQUIRE(*event);
    values.push_back((*event)->entry.value);
  }
  return values;
}

}  // namespace

TEST_CASE("a watch delivers every change of its range from its first revision on") {
  Service service;
  Client client(options_for(service));
  put(service, "/a", "before");
  auto watch = client.watch("/a", {.prefix = true});
  REQUIRE(watch);
  put(service, "/a", "1");
  put(service, "/b", "not mine");
  put(service, "/a/b", "2");
  CHECK(take(*watch, 2) == std::vector<std::string>{"1", "2"});
  auto deleted = client.remove("/a");
  REQUIRE(deleted);
  auto event = watch->next();
  REQUIRE(event);
  CHECK(event->type == WatchEvent::Type::kDelete);
  CHECK(event->entry.key == "/a");
  CHECK(event->entry.mod_revision == deleted->revision);
  CHECK_FALSE(*watch->next(10ms));

  auto from_start = client.watch("/a", {.from_revision = 1});
  REQUIRE(from_start);
  CHECK(from_start->start_revision() == 1);
  CHECK(take(*from_start, 3) == std::vector<std::string>{"before", "1", ""});
}

TEST_CASE("a watch goes on at another member without loss or repetition") {
  Service service(3);
  Client client(options_for(service));
  auto watch = client.watch("/", {.prefix = true});
  REQUIRE(watch);
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    put(service, "/k", std::to_string(i));
    expected.push_back(std::to_string(i));
    if (i % 7 == 3) {
      service.break_connections();
    }
    if (i == 30) {
      service.stop_member(0);
    }
  }
  CHECK(take(*watch, 60) == expected);
  CHECK_FALSE(*watch->next(20ms));
}

TEST_CASE("a revision of many changes that is cut by a broken connection comes whole and once") {
  Service service(2);
  Client client(options_for(service));
  for (int i = 0; i < 9; ++i) {
    put(service, "/k" + std::to_string(i), "v");
  }
  auto watch = client.watch("/", {.prefix = true});
  REQUIRE(watch);
  std::uint64_t removed = 0;
  service.world([&](World& world) { world.remove("/", "", removed); });
  REQUIRE(removed == 9);
  service.break_connections();
  for (int i = 0; i < 9; ++i) {
    auto event = watch->next(3s);
    REQUIRE(event);
    REQUIRE(*event);
    CHECK((*event)->entry.key == "/k" + std::to_string(i));
  }
  CHECK_FALSE(*watch->next(20ms));
}

TEST_CASE("a member that follows another leader than before is asked anew, and nothing is lost") {
  Service service(2);
  Client client(options_for(service));
  auto watch = client.watch("/", {.prefix = true});
  REQUIRE(watch);
  REQUIRE(eventually([&] { return service.calls("cluster.self") > 0; }));
  service.set_leader(1);
  REQUIRE(eventually([&] { return service.calls("config.watch") > 1; }));
  put(service, "/k", "after");
  CHECK(take(*watch, 1) == std::vector<std::string>{"after"});
}

TEST_CASE("a watch from a compacted revision ends with the lowest there is") {
  Service service;
  service.world([](World& world) {
    world.compacted_below = 50;
    world.revision = 60;
  });
  Client client(options_for(service));
  auto refused = client.watch("/", {.prefix = true, .from_revision = 3});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kCompacted);
  CHECK(refused.error().revision == 50);

  auto watch = client.watch("/", {.prefix = true});
  REQUIRE(watch);
  // While it was away, what it had not seen was compacted.
  service.world([](World& world) { world.compacted_below = 1000; });
  service.break_connections();
  auto ended = watch->next(3s);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == Errc::kCompacted);
  CHECK(ended.error().revision == 1000);
}

TEST_CASE("a watch that nobody reads keeps the service waiting, not its own memory growing") {
  Service service;
  Client client(options_for(service));
  auto watch = client.watch("/", {.prefix = true});
  REQUIRE(watch);
  const std::string large(100'000, 'x');
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    put(service, "/k", large + std::to_string(i));
    expected.push_back(large + std::to_string(i));
  }
  auto fed = [&] { return service.world([](World& world) { return world.fed; }); };
  REQUIRE(eventually([&] { return fed() >= 10; }));
  CHECK_FALSE(eventually([&] { return fed() >= 20; }, 20));
  CHECK(take(*watch, 60) == expected);
  CHECK(fed() == 60);
}

TEST_CASE("watches that nobody reads hold up neither other watches nor other calls") {
  Service service;
  Client client(options_for(service));
  std::vector<Watch> unread;
  for (int i = 0; i < 12; ++i) {
    auto watch = client.watch("/large");
    REQUIRE(watch);
    unread.push_back(std::move(*watch));
  }
  auto read = client.watch("/small");
  REQUIRE(read);
  for (int i = 0; i < 6; ++i) {
    put(service, "/large", std::string(700'000, 'x'));
  }
  // Two values fill a queue; whether a third was on its way already depends on how fast the first was taken.
  REQUIRE(eventually([&] { return service.world([](World& world) { return world.fed; }) >= 12 * 2; }));
  put(service, "/small", "through");
  CHECK(take(*read, 1) == std::vector<std::string>{"through"});
  CHECK(client.get("/small"));
}

TEST_CASE("a cancelled watch ends the wait of another thread") {
  Service service;
  Client client(options_for(service));
  auto watch = client.watch("/a");
  REQUIRE(watch);
  auto waiting = std::async(std::launch::async, [&] { return watch->next(); });
  watch->cancel();
  CHECK(waiting.get().error().code == Errc::kCancelled);
}

TEST_CASE("a watch of an unreachable cluster is unavailable in time") {
  Service service;
  auto options = options_for(service);
  options.call_timeout = 300ms;
  service.stop_member(0);
  Client client(options);
  auto watch = client.watch("/a");
  REQUIRE_FALSE(watch);
  CHECK(watch.error().code == Errc::kUnavailable);
}

TEST_CASE("a service's watch tells the instances as they are and whenever they differ") {
  Service service(2);
  Client client(options_for(service));
  auto watch = client.watch_service("web", {.tags = {"blue"}});
  REQUIRE(watch);
  auto none = watch->next();
  REQUIRE(none);
  CHECK(none->empty());

  auto blue = client.register_instance("web", {.id = "1", .address = "a", .tags = {"blue"}});
  REQUIRE(blue);
  auto one = watch->next(3s);
  REQUIRE(one);
  REQUIRE(*one);
  REQUIRE((*one)->size() == 1);
  CHECK((*one)->at(0).address == "a");

  auto green = client.register_instance("web", {.id = "2", .tags = {"green"}});
  REQUIRE(green);
  service.break_connections();
  auto same = watch->next(100ms);
  REQUIRE(same);
  CHECK_FALSE(*same);

  REQUIRE(blue->deregister());
  auto gone = watch->next(3s);
  REQUIRE(gone);
  REQUIRE(*gone);
  CHECK((*gone)->empty());
  watch->cancel();
  CHECK(watch->next().error().code == Errc::kCancelled);
}
