#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "bench/micro/benchmarks.h"
#include "bench/micro/samples.h"
#include "lock/lock_table.h"
#include "node/lease_clock.h"
#include "state/machine.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kDrawn = 16 * 1024;
constexpr std::size_t kSlice = 1000;

/// Takes an image, as a member does every so often: what changed since must not pile up.
void take_image(state::Machine& machine) {
  machine.walk_config(state::Machine::Walk::kAtIntervals);
  while (machine.is_walking_config()) machine.take_config_rows(kSlice);
  machine.freeze();
  while (!machine.take_rows(kSlice).empty()) {
  }
  while (!machine.take_history(kSlice).empty()) {
  }
  machine.image_durable(0);
}

/// A committed put, from its bytes to the table, its history and its event. range(0): keys that there are.
void apply_put(benchmark::State& state) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  state::Machine machine;
  Index index;
  const auto apply = [&](const Blob& command) {
    index = index.next();
    benchmark::DoNotOptimize(machine.apply(index, command));
  };
  for (std::uint64_t key = 0; key < keys; ++key) {
    apply(put_command(key));
    if (key % kDrawn == 0) take_image(machine);
  }
  Random random(1);
  std::vector<Blob> drawn;
  for (std::size_t i = 0; i < kDrawn; ++i) drawn.push_back(put_command(random.below(keys)));
  take_image(machine);
  std::size_t next = 0;
  for (auto _ : state) {
    apply(drawn[next]);
    if (++next < kDrawn) continue;
    next = 0;
    state.PauseTiming();
    take_image(machine);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations());
}

/// A lock that is free is taken and released. range(0): locks that are held meanwhile.
void acquire_and_release(benchmark::State& state) {
  const auto held = static_cast<std::uint64_t>(state.range(0));
  lock::LockTable table;
  const lock::LockTable::IsLive is_live = [](LeaseId) { return true; };
  const lock::LockTable::Moment moment{Revision(1), ClusterTime(0), is_live};
  std::vector<lock::Change> changes;
  lock::Ticket ticket = 0;
  const auto acquire = [&](const std::string& name, LeaseId lease) {
    changes.clear();
    lock::Acquire wish;
    wish.lock = name;
    wish.lease = lease;
    const auto acquired = table.acquire(wish, ++ticket, moment, changes);
    INVARIANT(acquired, "the lock is free");
    return acquired->token;
  };
  for (std::uint64_t i = 0; i < held; ++i) acquire(key_of(2 * i), LeaseId(i + 1));
  const auto take_rows = [&table] {
    table.freeze();
    while (!table.take_holders(kSlice).empty()) {
    }
  };
  take_rows();
  Random random(1);
  std::size_t round = 0;
  for (auto _ : state) {
    const std::string name = key_of(2 * random.below(held) + 1);  // between those that are held
    const Token token = acquire(name, LeaseId(held + 1));
    INVARIANT(table.release(name, token, moment, changes), "the lock is held");
    if (++round % kDrawn != 0) continue;
    state.PauseTiming();
    take_rows();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations());
}

/// A renewal, as the leader carries it out. range(0): leases that there are.
void renew_lease(benchmark::State& state) {
  const auto leases = static_cast<std::uint64_t>(state.range(0));
  Instant now{std::chrono::seconds(1)};
  lease::LeaseTable table;
  for (std::uint64_t i = 1; i <= leases; ++i) table.grant(LeaseId(i), milliseconds(10'000));
  node::LeaseClock clock;
  clock.start(table, now);
  Random random(1);
  for (auto _ : state) {
    // Each is renewed every third of its time, on average.
    now += Duration(3'333'333 / leases);
    benchmark::DoNotOptimize(clock.renew(LeaseId(1 + random.below(leases)), now));
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void register_table_apply() {
  const auto by_size = [](const char* name, void (*function)(benchmark::State&), std::int64_t most) {
    auto* const benchmark = benchmark::RegisterBenchmark(name, function);
    for (std::int64_t size = 1000; size <= most; size *= 10) benchmark->Arg(size);
  };
  by_size("table/apply_put", apply_put, 1'000'000);
  by_size("table/acquire_and_release", acquire_and_release, 100'000);
  by_size("table/renew_lease", renew_lease, 1'000'000);
}

}  // namespace holdfast::bench
