#include "bench/fleet.h"
#include "bench/lanes.h"
#include "bench/runs.h"
#include "bench/workload.h"

namespace holdfast::bench {

void run_calls(net::EventLoop& loop, const Load& load, Recorder& recorder) {
  Fleet fleet(loop, load);
  const auto workload = make_workload(load);
  loop.run_until(on_all_lanes(load.in_flight,
                              [&](std::size_t lane) { return workload->prepare(lane, fleet.of(lane)); }));
  recorder.begin();
  Lanes lanes(loop, load, [&](std::size_t lane, Instant due) {
    return workload->once(lane, fleet.of(lane))
        .catch_([](kj::Exception&& e) { return Why(kj::str(e.getDescription())); })
        .then([&recorder, &workload, due](Why why) {
          KJ_IF_MAYBE (text, why) {
            recorder.failure(*text);
          } else {
            recorder.success(due, workload->weight());
          }
        });
  });
  loop.run_until(lanes.run());
  recorder.end();
  loop.run_until(on_all_lanes(load.in_flight, [&](std::size_t lane) {
    return workload->finish(lane, fleet.of(lane)).catch_([](kj::Exception&&) {});
  }));
}

}  // namespace holdfast::bench
