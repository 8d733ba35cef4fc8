#include <kj/time.h>

#include "bench/fleet.h"
#include "bench/population.h"
#include "bench/runs.h"

namespace holdfast::bench {
namespace {

/// Counts what keeps the instances alive; the population sets the pace.
void keep_living(net::EventLoop& loop, const Load& load, Recorder& recorder, Population& population) {
  recorder.begin();
  population.on_kept([&recorder](Instant due, std::uint64_t leases, Why why) {
    KJ_IF_MAYBE (text, why) {
      recorder.failure(*text);
    } else {
      recorder.success(due, leases);
    }
  });
  loop.run_until(loop.timer().afterDelay(load.duration.count() * kj::MICROSECONDS));
  recorder.end();
}

}  // namespace

void run_churn(net::EventLoop& loop, const Load& load, Recorder& recorder) {
  Fleet fleet(loop, load);
  Population population(loop, fleet, load);
  loop.run_until(population.fill());
  if (load.live) {
    keep_living(loop, load, recorder, population);
  } else {
    run_calls(loop, load, recorder);
  }
  const std::uint64_t left = loop.run_until(population.registered());
  for (std::uint64_t lost = left; lost < load.instances; ++lost) {
    recorder.failure("an instance was lost though its lease was kept alive"_kj);
  }
  recorder.extra("instances", left);
  population.stop();
  loop.run_until(population.clear());
}

}  // namespace holdfast::bench
