#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "tests/sim/canaries.h"
#include "tests/sim/program/batch.h"
#include "tests/sim/program/canary_table.h"

int main(int argc, char** argv) {
  using namespace holdfast::sim;
  CLI::App app("Runs simulated worlds of Holdfast clusters: docs/SIMULATOR.md.", "holdfast-sim");
  Batch batch;
  bool list_canaries = false;
  bool all_canaries = false;
  batch.processes = std::max(1U, std::thread::hardware_concurrency());
  auto* seed = app.add_option("--seed", batch.first_seed, "the first seed (1)");
  auto* seeds = app.add_option("--seeds", batch.seeds, "how many (1; with --minutes: as many as fit)")
                    ->check(CLI::PositiveNumber);
  auto* minutes = app.add_option("--minutes", batch.minutes, "stop after so long; fractions too")
                      ->check(CLI::PositiveNumber);
  app.add_option("--processes", batch.processes, "that run worlds at the same time")
      ->check(CLI::Range(1, 64));
  app.add_flag("--trace", batch.trace, "print every event");
  app.add_flag("--trace-hash", batch.trace_hash, "print a digest of all that happened, a seed a line");
  app.add_flag("--sqlite", batch.sqlite, "on the real store in every world; else a tenth of the seeds are");
  app.add_option("--canary", batch.canary, "with this bug in it: see --list-canaries")
      ->check([](const std::string& name) {
        return find_canary(name) ? std::string() : "there is no canary '" + name + "': see --list-canaries";
      });
  app.add_flag("--list-canaries", list_canaries, "print their names");
  app.add_flag("--canaries", all_canaries, "run them all, and see that each is found")->excludes(seed);
  CLI11_PARSE(app, argc, argv);

  if (list_canaries) {
    for (const Canary& canary : canaries()) std::printf("%s\n", std::string(canary.name).c_str());
    return 0;
  }
  if (all_canaries) return run_canaries(batch.processes) ? 0 : 1;
  if (minutes->count() > 0 && seeds->count() == 0) batch.seeds = UINT64_MAX - batch.first_seed;
  return run_batch(batch) ? 0 : 1;
}
