#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "tests/sim/world.h"

namespace holdfast::sim {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

WorldResult run(std::uint64_t seed) { return World(seed, draw_options(seed)).run(); }

TEST_CASE("no seed breaks a promise") {
  std::uint64_t first = from_environment("HOLDFAST_SIM_FIRST_SEED", 1);
  std::uint64_t seeds = from_environment("HOLDFAST_SIM_SEEDS", 1000);
  Index committed;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    INFO("replay: HOLDFAST_SIM_FIRST_SEED=" << seed
                                            << " HOLDFAST_SIM_SEEDS=1 test_sim 'no seed breaks a promise'");
    WorldResult result = run(seed);
    REQUIRE(result.failure.value_or("") == "");
    committed = committed + result.committed.value();
  }
  // A world in which nothing happens keeps every promise.
  CHECK(committed.value() > 20 * seeds);
}

/// The first failure among some seeds whose worlds have that bug in their disks.
template <typename Break>
std::string first_failure(std::uint64_t seeds, Break break_it) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    WorldOptions options = draw_options(seed);
    break_it(options);
    if (auto failure = World(seed, options).run().failure) return *failure;
  }
  return {};
}

TEST_CASE("a disk that acknowledges before it is durable is found") {
  std::string failure = first_failure(5, [](WorldOptions& options) { options.disk.lies = true; });
  CHECK_THAT(failure, Catch::Contains("is committed but durable on"));
}

TEST_CASE("a client that repeats a command under a new number is found") {
  std::string failure = first_failure(30, [](WorldOptions& options) { options.careless_clients = true; });
  CHECK_THAT(failure, Catch::Contains("written twice"));
}

TEST_CASE("the same seed gives the same trace") {
  for (std::uint64_t seed : {3, 4}) {
    WorldResult once = run(seed);
    WorldResult again = run(seed);
    CHECK(once.trace_digest == again.trace_digest);
    CHECK(once.events == again.events);
    CHECK(once.committed == again.committed);
  }
  CHECK(run(3).trace_digest != run(4).trace_digest);
}

}  // namespace
}  // namespace holdfast::sim
