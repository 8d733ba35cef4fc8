#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/raft/world.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

// A failure names its seed; HOLDFAST_SEED=<seed> HOLDFAST_SEEDS=1 test_raft "no order of*" replays it.
TEST_CASE("no order of losses, delays and crashes breaks a promise, and what is healed agrees") {
  const std::uint64_t first = number_from("HOLDFAST_SEED", 1);
  const std::uint64_t count = number_from("HOLDFAST_SEEDS", 150);
  std::size_t committed = 0;
  std::size_t reads = 0;
  std::size_t elections = 0;
  std::size_t changes = 0;
  std::size_t images = 0;
  std::size_t wiped = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (int i = 0; i < 6000 && world.broken().empty(); ++i) world.step();
    REQUIRE(world.broken() == "");
    const bool healed = world.heals_within(milliseconds(20'000));
    REQUIRE(world.broken() == "");
    REQUIRE(healed);
    committed += world.committed_entries();
    reads += world.answered_reads();
    elections += world.elections();
    changes += world.membership_changes();
    images += world.installed_images();
    wiped += world.wiped_disks();
  }
  // A world in which nothing happens proves nothing.
  CHECK(committed > count * 10);
  CHECK(reads > count);
  CHECK(elections > count);
  CHECK(changes > count);
  CHECK(images > count / 5);
  CHECK(wiped > count / 10);
}
