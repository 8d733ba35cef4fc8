#include <catch2/catch.hpp>

#include "tests/state/cluster_of_one.h"
#include "tests/state/random_commands.h"

using namespace holdfast;
using namespace holdfast::state;

TEST_CASE("the same commands give every machine the same digest, whatever else it is asked") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    Machine first;
    Machine second;
    RandomCommands commands(seed, false);
    std::uint64_t changed = 0;
    for (int i = 0; i < 1000; ++i) {
      const Blob bytes = encode(commands.next(first)).value();
      const Index index = first.applied().next();
      const Applied one = first.apply(index, bytes);
      // A copy of the bytes at another address, an image taken at another time, and memory that is fetched.
      const Blob none;
      second.prefetch(std::vector<const Blob*>{&none, &bytes});
      const Applied other = second.apply(index, Blob(bytes.view()));
      if (i % 100 == 50) {
        second.walk_config(Machine::Walk::kLast);
        while (second.is_walking_config()) second.take_config_rows(7);
        second.freeze();
        while (!second.take_rows(7).empty()) {
        }
        while (!second.take_history(1).empty()) {
        }
        second.image_durable(0);
      }
      CHECK(encode(one.reply) == encode(other.reply));
      CHECK(one.fresh == other.fresh);
      CHECK(one.events.size() == other.events.size());
      changed += one.events.size();
      REQUIRE(first.digest() == second.digest());
    }
    CHECK(changed > 300);
    CHECK(first.revision() == second.revision());
  }
}

TEST_CASE("machines that applied different commands differ in their digest") {
  ClusterOfOne first;
  ClusterOfOne second;
  CHECK(first.machine.digest() == second.machine.digest());
  first.put("/a", "1");
  second.put("/a", "2");
  CHECK(first.machine.digest() != second.machine.digest());
  first.put("/a", "3");
  second.put("/a", "3");
  CHECK(first.machine.digest() != second.machine.digest());
}

TEST_CASE("no command that can be decoded brings the machine down, however absurd") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    INFO("seed " << seed);
    Machine machine;
    RandomCommands commands(seed, true);
    Revision revision;
    for (int i = 0; i < 1000; ++i) {
      const Blob bytes = encode(commands.next(machine)).value();
      const Applied applied = machine.apply(machine.applied().next(), bytes);
      CHECK(machine.revision() == (applied.events.empty() ? revision : revision.next()));
      revision = machine.revision();
      if (!applied.reply) CHECK(applied.events.empty());
      for (const auto& [name, lock] : machine.locks().all()) REQUIRE(lock.holders.size() == 1);
    }
  }
}

TEST_CASE("the time of the machine never goes back") {
  ClusterOfOne cluster;
  cluster.now = ClusterTime(500);
  cluster.put("/a", "1");
  CHECK(cluster.machine.time() == ClusterTime(500));
  cluster.now = ClusterTime(300);
  cluster.put("/a", "2");
  CHECK(cluster.machine.time() == ClusterTime(500));
}

TEST_CASE("an entry that is not a command moves the index and the digest only") {
  ClusterOfOne cluster;
  const std::uint64_t before = cluster.machine.digest();
  cluster.machine.skip(Index(1));
  CHECK(cluster.machine.applied() == Index(1));
  CHECK(cluster.machine.digest() != before);
  CHECK(cluster.machine.revision() == Revision(0));
  CHECK(cluster.grant() == LeaseId(2));
}
