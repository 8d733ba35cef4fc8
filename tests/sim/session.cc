#include "tests/sim/session.h"

#include <utility>

namespace holdfast::sim {

Session::Session(Surroundings surroundings, Caller& caller, Random random, milliseconds ttl)
    : world_(surroundings), lease_(surroundings, caller, random), ttl_(ttl) {
  caller.stamp_with(*this);
}

void Session::renew() {
  sequence_.reset();
  if (!wanted_) return;
  lease_.grant(ttl_, [this](Result<LeaseId> lease) {
    if (!lease) return renew();
    if (!wanted_) return lease_.drop();
    sequence_ = std::make_shared<session::Sequence>(*lease, world_.session_window);
    lease_.watch([this] { renew(); });
  });
}

void Session::abandon() {
  wanted_ = false;
  sequence_.reset();
  lease_.drop();
}

void Session::begin(Instant deadline, std::function<void(Result<Open>)> done) {
  if (sequence_) {
    if (auto number = sequence_->begin()) return done(Open(sequence_, *number));
  }
  constexpr Duration kPause = milliseconds(10);
  if (world_.clock.now() + kPause >= deadline) {
    return done(fail(Errc::kUnavailable, "no session, or no room in it, in time"));
  }
  world_.after(kPause, [this, deadline, done = std::move(done)] { begin(deadline, done); });
}

void Session::ended(LeaseId session) {
  if (session == lease_.id()) renew();
}

}  // namespace holdfast::sim
