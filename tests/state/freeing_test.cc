#include <catch2/catch.hpp>
#include <ctime>
#include <optional>
#include <string>

#include "state/machine.h"

namespace holdfast::state {
namespace {

// Run by name: why the machine before an installed image is not freed on the loop.
TEST_CASE("how long a state takes to be freed", "[.measure]") {
  for (const std::uint64_t keys : {100'000u, 1'000'000u}) {
    std::optional<Machine> machine;
    machine.emplace();
    for (std::uint64_t i = 1; i <= keys; ++i) {
      const config::Put put{
          "/measured/" + std::to_string(i * 7919 % keys), Blob(std::string(64, 'v')), {}, {}};
      REQUIRE(machine->apply(Index(i), *encode({{}, {}, put})).reply);
      if (i % 1000 != 0) continue;
      machine->freeze();
      while (!machine->take_rows(1000).empty()) continue;
      while (!machine->take_history(10).empty()) continue;
      machine->image_durable(4 << 20);
    }
    // Of this process: the machine may be busy.
    const std::clock_t begin = std::clock();
    machine.reset();
    const double milliseconds = 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    WARN(keys << " keys: freed in " << milliseconds << " ms of CPU");
  }
}

}  // namespace
}  // namespace holdfast::state
