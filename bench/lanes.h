#pragma once

#include <kj/async.h>
#include <kj/function.h>

#include <cstddef>

#include "bench/load.h"
#include "bench/pace.h"
#include "net/event_loop.h"

namespace holdfast::bench {

/// The lanes of a load: each does one operation at a time, and takes the next one when that is over.
class Lanes {
 public:
  /// One operation of a lane. `due`: from when on it counts. It must not fail: what goes wrong is recorded.
  using Once = kj::Function<kj::Promise<void>(std::size_t lane, Instant due)>;

  /// The pace begins now.
  Lanes(net::EventLoop& loop, const Load& load, Once once);

  /// Done when the last operation is. Dropping it gives up.
  kj::Promise<void> run();

 private:
  kj::Promise<void> go_on(std::size_t lane);

  net::EventLoop& loop_;
  const std::size_t lanes_;
  Pace pace_;
  Once once_;
};

/// Does something once on each of `lanes` lanes at the same time.
template <typename Start>
kj::Promise<void> on_all_lanes(std::size_t lanes, Start&& start) {
  auto all = kj::heapArrayBuilder<kj::Promise<void>>(lanes);
  for (std::size_t lane = 0; lane < lanes; ++lane) all.add(start(lane));
  return kj::joinPromises(all.finish());
}

}  // namespace holdfast::bench
