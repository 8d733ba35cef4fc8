#include "client/engine.h"

#include <kj/timer.h>

#include <utility>

#include "client/clock.h"
#include "client/requests.h"

namespace holdfast::sdk {

Engine::Engine(net::EventLoop& loop, const client::Options& options, std::uint64_t seed)
    : loop_(loop),
      options_(options),
      calls_(loop, session::Endpoints(options.endpoints, Random(seed)), options.connect_timeout),
      keepalives_(loop, session::Endpoints(options.endpoints, Random(seed + 1)), options.connect_timeout),
      caller_(loop, calls_, Random(seed + 2)),
      keeper_(loop, keepalives_),
      stamps_(loop, caller_, keeper_, options.session_ttl, options.call_timeout),
      leader_finder_(loop, calls_, keepalives_),
      last_number_(Random(seed + 3).next() >> 1),
      tasks_(*this),
      farewells_(*this) {
  if (options.session_ttl > milliseconds(0)) {
    caller_.use_stamps(&stamps_);
  }
}

Engine::~Engine() = default;

Instant Engine::call_deadline() const { return now() + options_.call_timeout; }

void Engine::spawn(kj::Promise<void> task) { tasks_.add(kj::mv(task)); }

void Engine::farewell(kj::Promise<void> task) { farewells_.add(kj::mv(task)); }

void Engine::notify(std::function<void()> callback) {
  // In an event of its own: what it throws must not tear what called it.
  tasks_.add(kj::evalLater([this, callback = std::move(callback)]() mutable {
    if (options_.executor) {
      options_.executor(std::move(callback));
    } else {
      callback();
    }
  }));
}

void Engine::discard(std::uint64_t number) {
  tasks_.add(kj::evalLater([this, number]() { tasks_by_number_.erase(number); }));
}

void Engine::cancel_waits() {
  for (auto& [number, task] : tasks_by_number_) {
    task->cancel_wait();
  }
}

kj::Promise<void> Engine::close(Duration limit) {
  for (auto& [number, task] : tasks_by_number_) {
    task->close();
  }
  if (LeaseId session = stamps_.close()) {
    farewell(revoke_lease(caller_, session, now() + limit).ignoreResult());
  }
  return farewells_.onEmpty().exclusiveJoin(loop_.timer().afterDelay(delay(limit)));
}

}  // namespace holdfast::sdk
