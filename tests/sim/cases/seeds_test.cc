#include <catch2/catch.hpp>
#include <string>

#include "tests/sim/world.h"

namespace holdfast::sim {
namespace {

WorldResult run(std::uint64_t seed) { return World(seed, draw_options(seed)).run(); }

/// More of them: holdfast-sim --seeds.
constexpr std::uint64_t kSeeds = HOLDFAST_SIM_SEEDS;

TEST_CASE("no seed breaks a promise") {
  Index committed;
  Figures figures{};
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    INFO("replay: holdfast-sim --seed " << seed << " --trace");
    WorldResult result = run(seed);
    REQUIRE((result.failure ? result.failure->what : "") == "");
    committed = committed + result.committed.value();
    for (std::size_t i = 0; i < kFigures; ++i) figures[i] += result.figures[i];
  }
  // A world in which nothing happens keeps every promise.
  CHECK(committed.value() > 20 * kSeeds);
  // Nor does one break any that nobody ever joins, leaves, or lags behind in. (Sanitizers leave time for too
  // few.)
  for (std::size_t i = 0; i < kFigures; ++i) {
    INFO("figure " << name_of(static_cast<Figure>(i)));
    CHECK(figures[i] >= kSeeds / 600 * 10);
  }
}

/// The first failure among some seeds whose worlds have that bug in their disks or clients.
template <typename Break>
Failure first_failure(std::uint64_t seeds, Break break_it) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    WorldOptions options = draw_options(seed);
    break_it(options);
    if (auto failure = World(seed, options).run().failure) return *failure;
  }
  return {};
}

TEST_CASE("a disk that acknowledges before it is durable is found") {
  Failure failure = first_failure(10, [](WorldOptions& options) { options.disk.lies = true; });
  CHECK(name_of(failure.invariant) == name_of(Invariant::kDurability));
}

TEST_CASE("a client that repeats a command under a new number is found") {
  Failure failure = first_failure(30, [](WorldOptions& options) { options.careless_clients = true; });
  // What runs twice shows as such, or as a refusal of what took effect: whichever a client hears first.
  INFO(failure.what);
  CHECK((failure.invariant == Invariant::kExactlyOnce || failure.invariant == Invariant::kHonestOutcome));
}

TEST_CASE("a world on the real store keeps every promise, and the same seed gives the same trace") {
  for (std::uint64_t seed : {7, 13, 16}) {
    WorldOptions options = draw_options(seed);
    options.disk.sqlite = true;
    WorldResult once = World(seed, options).run();
    WorldResult again = World(seed, options).run();
    CHECK((once.failure ? once.failure->what : "") == "");
    CHECK(once.trace_digest == again.trace_digest);
    CHECK(once.events == again.events);
  }
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
