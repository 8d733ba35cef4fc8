#include "tests/sim/program/canary_table.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "tests/sim/canaries.h"
#include "tests/sim/program/workers.h"

namespace holdfast::sim {

namespace {

/// "12 watches" of a kill at seed 12; empty: it lives.
std::string describe(const std::optional<Kill>& kill) {
  if (!kill) return "";
  return std::to_string(kill->seed) + " " + std::string(name_of(kill->invariant));
}

}  // namespace

bool run_canaries(unsigned processes) {
  const auto begin = std::chrono::steady_clock::now();
  std::printf("%-44s %6s  %-24s %s\n", "canary", "seeds", "killed by", "seed");
  std::size_t killed = 0;
  auto name = [](std::uint64_t job) { return std::string(canaries()[job].name); };

  Jobs jobs;
  jobs.count = canaries().size();
  jobs.processes = processes;
  jobs.work = [](std::uint64_t job) { return describe(hunt(canaries()[job])); };
  jobs.time_is_over = [] { return false; };
  jobs.done = [&](std::uint64_t job, const std::string& told) {
    if (told.empty()) {
      std::printf("%-44s %6" PRIu64 "  ALIVE\n", name(job).c_str(), canaries()[job].most_seeds);
    } else {
      std::size_t space = told.find(' ');
      std::string seed = told.substr(0, space);
      std::printf("%-44s %6s  %-24s %s\n", name(job).c_str(), seed.c_str(), told.c_str() + space + 1,
                  seed.c_str());
      ++killed;
    }
    std::fflush(stdout);
  };
  jobs.died = [&](std::uint64_t job, int signal) {
    std::printf("%-44s its process ended by signal %d\n", name(job).c_str(), signal);
  };
  jobs.run();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("canaries=%zu killed=%zu seconds=%.1f\n", canaries().size(), killed, seconds);
  return killed == canaries().size();
}

}  // namespace holdfast::sim
