#include "tests/sim/program/batch.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "tests/sim/canaries.h"
#include "tests/sim/program/workers.h"
#include "tests/sim/world.h"

namespace holdfast::sim {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kMostSeedLines = 20;
constexpr std::chrono::seconds kBetweenProgress{5};

/// What a batch has come to so far.
class Account {
 public:
  explicit Account(const Batch& batch) : batch_(batch) {}

  void finished(std::uint64_t seed, const std::string& told) {
    std::uint64_t events = 0;
    std::uint64_t trace = 0;
    int failed = 0;
    int text = 0;
    std::sscanf(told.c_str(), "%" SCNu64 " %" SCNx64 " %d %n", &events, &trace, &failed, &text);
    ++seeds_;
    events_ += events;
    for (std::uint64_t& figure : figures_) {
      char* end = nullptr;
      std::uint64_t count = std::strtoull(told.c_str() + text, &end, 10);
      text = static_cast<int>(end - told.c_str()) + 1;
      figure += count;
      worlds_with_[static_cast<std::size_t>(&figure - figures_.data())] += count > 0 ? 1 : 0;
    }
    ++text;
    if (batch_.trace_hash) {
      std::printf("seed %" PRIu64 " trace_hash=%016" PRIx64 "\n", seed, trace);
    } else if (batch_.seeds <= kMostSeedLines && !failed) {
      std::printf("seed %" PRIu64 " ok events=%" PRIu64 "\n", seed, events);
    }
    if (failed) fail(seed, told.substr(static_cast<std::size_t>(text)));
    progress();
  }
  void died(std::uint64_t seed, int signal) {
    ++seeds_;
    fail(seed, "its process ended by signal " + std::to_string(signal));
  }
  bool summary() const {
    double seconds = std::chrono::duration<double>(SteadyClock::now() - begin_).count();
    if (seeds_ > 1) {
      for (std::size_t i = 0; i < kFigures; ++i) {
        std::string name(name_of(static_cast<Figure>(i)));
        std::printf("%s=%" PRIu64 "/%" PRIu64 " ", name.c_str(), figures_[i], worlds_with_[i]);
      }
      std::printf("(in all/worlds with any)\n");
    }
    std::printf("seeds=%" PRIu64 " failed=%" PRIu64 " events=%" PRIu64 " events_per_second=%.0f\n", seeds_,
                failed_, events_, static_cast<double>(events_) / seconds);
    return failed_ == 0 && seeds_ > 0;
  }

 private:
  void fail(std::uint64_t seed, const std::string& what) {
    ++failed_;
    std::string canary = batch_.canary.empty() ? "" : " --canary " + batch_.canary;
    if (batch_.sqlite) canary += " --sqlite";
    std::printf("seed %" PRIu64 " FAILED: %s\n  replay: holdfast-sim --seed %" PRIu64 "%s --trace\n", seed,
                what.c_str(), seed, canary.c_str());
    std::fflush(stdout);
  }
  void progress() {
    if (SteadyClock::now() < next_progress_) return;
    next_progress_ = SteadyClock::now() + kBetweenProgress;
    std::printf("... %" PRIu64 " seeds, %" PRIu64 " failed\n", seeds_, failed_);
    std::fflush(stdout);
  }

  const Batch& batch_;
  const SteadyClock::time_point begin_ = SteadyClock::now();
  SteadyClock::time_point next_progress_ = begin_ + kBetweenProgress;
  std::uint64_t seeds_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t events_ = 0;
  Figures figures_{};
  Figures worlds_with_{};
};

std::string run_world(const Batch& batch, std::uint64_t seed) {
  std::optional<CanarySwitch> on;
  if (!batch.canary.empty()) on.emplace(batch.canary);
  WorldOptions options = draw_options(seed);
  if (batch.sqlite) options.disk.sqlite = true;
  World world(seed, options);
  if (batch.trace) world.print_to(stdout);
  WorldResult result = world.run();
  std::fflush(stdout);
  std::string counted;
  for (std::uint64_t count : result.figures) counted += std::to_string(count) + ",";
  char figures[64];
  std::snprintf(figures, sizeof(figures), "%" PRIu64 " %" PRIx64 " %d ", result.events, result.trace_digest,
                result.failure ? 1 : 0);
  counted = figures + counted + " ";
  if (!result.failure) return counted;
  return counted + std::string(name_of(result.failure->invariant)) + ": " + result.failure->what;
}

}  // namespace

bool run_batch(const Batch& batch) {
  Account account(batch);
  SteadyClock::time_point end = SteadyClock::time_point::max();
  if (batch.minutes > 0) {
    auto limit = std::chrono::duration<double, std::ratio<60>>(batch.minutes);
    end = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(limit);
  }
  Jobs jobs;
  jobs.count = batch.seeds;
  jobs.processes = batch.trace || batch.seeds == 1 ? 1 : batch.processes;
  jobs.work = [&](std::uint64_t job) { return run_world(batch, batch.first_seed + job); };
  jobs.time_is_over = [&] { return SteadyClock::now() >= end; };
  jobs.done = [&](std::uint64_t job, const std::string& told) {
    account.finished(batch.first_seed + job, told);
  };
  jobs.died = [&](std::uint64_t job, int signal) { account.died(batch.first_seed + job, signal); };
  jobs.run();
  return account.summary();
}

}  // namespace holdfast::sim
