#include "registry/registry_table.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::registry;

namespace {

Instance instance(const std::string& id, LeaseId lease) {
  Instance made;
  made.id = id;
  made.address = "10.0.0.1";
  made.port = 80;
  made.lease = lease;
  return made;
}

std::vector<std::string> ids(const std::vector<const Instance*>& instances) {
  std::vector<std::string> found;
  for (const Instance* one : instances) found.push_back(one->id);
  return found;
}

struct Registry {
  RegistryTable table;
  std::vector<Change> changes;
};

}  // namespace

TEST_CASE("services are listed with the number of their instances, and vanish with the last") {
  Registry registry;
  registry.table.put("web", instance("1", LeaseId(1)), Revision(1), registry.changes);
  registry.table.put("web", instance("2", LeaseId(2)), Revision(2), registry.changes);
  registry.table.put("api", instance("1", LeaseId(1)), Revision(3), registry.changes);
  using Services = std::map<std::string, std::size_t, std::less<>>;
  CHECK(registry.table.services() == Services{{"api", 1}, {"web", 2}});
  REQUIRE(registry.table.remove("web", "1", {}, Revision(4), registry.changes));
  REQUIRE(registry.table.remove("api", "1", {}, Revision(5), registry.changes));
  CHECK(registry.table.services() == Services{{"web", 1}});
  CHECK(registry.changes.back().removed);
  CHECK(registry.changes.back().instance.mod_revision == Revision(5));
}

TEST_CASE("an instance that registers again takes its own place, also under a new lease") {
  Registry registry;
  registry.table.put("web", instance("1", LeaseId(1)), Revision(1), registry.changes);
  registry.table.put("web", instance("1", LeaseId(2)), Revision(2), registry.changes);
  CHECK(registry.table.services().at("web") == 1);
  CHECK_FALSE(registry.table.attached_to(LeaseId(1)));
  CHECK(registry.table.end_lease(LeaseId(1), 10, Revision(3), registry.changes) == 0);
  CHECK(registry.table.find("web", "1")->mod_revision == Revision(2));
}

TEST_CASE("a process that was replaced does not remove its successor") {
  Registry registry;
  registry.table.put("web", instance("1", LeaseId(2)), Revision(1), registry.changes);
  registry.changes.clear();
  const auto remove = [&](const char* service, const char* id, LeaseId lease) {
    return registry.table.remove(service, id, lease, Revision(2), registry.changes);
  };
  CHECK(remove("web", "1", LeaseId(1)).error().code == Errc::kNotHolder);
  CHECK(remove("web", "9", {}).error().code == Errc::kInstanceNotFound);
  CHECK(remove("none", "1", {}).error().code == Errc::kServiceNotFound);
  CHECK(registry.changes.empty());
  CHECK(remove("web", "1", LeaseId(2)));
}

TEST_CASE("resolve filters by tags, metadata and health") {
  Registry registry;
  Instance blue = instance("blue", LeaseId(1));
  blue.tags = {"v2", "eu", "v2"};
  blue.metadata = {{"zone", "a"}, {"rack", "7"}};
  Instance green = instance("green", LeaseId(1));
  green.tags = {"v2"};
  green.health = Health::kWarning;
  Instance red = instance("red", LeaseId(1));
  red.maintenance = true;
  for (const Instance& one : {red, green, blue}) {
    registry.table.put("web", one, Revision(1), registry.changes);
  }
  registry.table.put("web2", instance("other", LeaseId(1)), Revision(1), registry.changes);
  CHECK(registry.table.find("web", "blue")->tags == std::vector<std::string>{"eu", "v2"});
  CHECK(ids(registry.table.resolve("web", {})) == std::vector<std::string>{"blue", "green", "red"});
  CHECK(ids(registry.table.resolve("web", {{"v2"}, {}, false})) == std::vector<std::string>{"blue", "green"});
  CHECK(ids(registry.table.resolve("web", {{"v2", "eu"}, {}, false})) == std::vector<std::string>{"blue"});
  CHECK(ids(registry.table.resolve("web", {{}, {{"zone", "a"}}, false})) == std::vector<std::string>{"blue"});
  CHECK(ids(registry.table.resolve("web", {{}, {{"zone", "b"}}, false})).empty());
  CHECK(ids(registry.table.resolve("web", {{}, {}, true})) == std::vector<std::string>{"blue"});
  CHECK(registry.table.resolve("we", {}).empty());
}

TEST_CASE("the instances of an ending lease go in batches") {
  Registry registry;
  for (int i = 0; i < 5; ++i) {
    registry.table.put("web", instance(std::to_string(i), LeaseId(1)), Revision(1), registry.changes);
  }
  registry.table.put("web", instance("other", LeaseId(2)), Revision(1), registry.changes);
  CHECK(registry.table.end_lease(LeaseId(1), 3, Revision(2), registry.changes) == 3);
  CHECK(registry.table.end_lease(LeaseId(1), 3, Revision(3), registry.changes) == 2);
  CHECK(ids(registry.table.resolve("web", {})) == std::vector<std::string>{"other"});
}
