#include "tests/sim/kept_lease.h"

#include <algorithm>
#include <any>
#include <utility>

namespace holdfast::sim {

KeptLease::KeptLease(Surroundings surroundings, Caller& caller, Random random)
    : world_(surroundings), caller_(caller), endpoints_(endpoints_of(world_, random)) {}

void KeptLease::grant(milliseconds ttl, std::function<void(Result<LeaseId>)> done) {
  drop();
  Instant sent_at = world_.clock.now();
  // Repeating it may leave a lease that nobody keeps; it runs out.
  Request request{session::Repeat::kHarmless, std::chrono::seconds(2)};
  caller_.call<state::ReplyBody>(
      request,
      [ttl](const Attempt& attempt, Callback<void(state::Reply)> answered) {
        attempt.node.propose(state::GrantLease{ttl}, {}, attempt.timeout, std::move(answered));
      },
      [this, ttl, sent_at, done = std::move(done)](state::Reply reply) {
        if (!reply) return done(fail(reply.error()));
        ++generation_;
        id_ = std::get<state::LeaseGranted>(*reply).lease;
        // Several attempts may have been made; the lease is no older than the first.
        safety_.emplace(ttl, sent_at);
        arm();
        done(id_);
      });
}

void KeptLease::drop() {
  ++generation_;
  id_ = {};
  safety_.reset();
  strict_ = false;
  armed_ = kNever;
  on_lost_.clear();
  for (auto& done : std::exchange(waiting_, {})) done(false);
}

void KeptLease::insist() {
  strict_ = true;
  arm();
}

void KeptLease::confirm(std::function<void(bool)> done) {
  if (!id_) return done(false);
  waiting_.push_back(std::move(done));
}

void KeptLease::arm() {
  Instant next = strict_ ? std::min(safety_->due(), safety_->until()) : safety_->due();
  if (next >= armed_) return;
  armed_ = next;
  world_.at(next, [this, generation = generation_] { tick(generation); });
}

void KeptLease::tick(std::uint64_t generation) {
  if (generation != generation_) return;
  armed_ = kNever;
  Instant now = world_.clock.now();
  if (strict_ && !safety_->is_safe(now)) return lose();
  if (safety_->due() <= now) keep_alive();
  if (generation == generation_) arm();
}

void KeptLease::keep_alive() {
  safety_->sent();
  send(id_, safety_->patience(),
       [this, generation = generation_, sent_at = world_.clock.now()](Result<Kept> kept) {
         if (generation != generation_) return;
         if (!kept) {
           safety_->failed(world_.clock.now());
         } else if (kept->ttl.count() == 0) {
           return lose();
         } else {
           acknowledged(sent_at, *kept);
         }
         if (generation == generation_) arm();
       });
}

void KeptLease::send(LeaseId lease, Duration patience, Heard heard) {
  auto address = endpoints_.next(world_.clock.now());
  if (!address) {
    Duration pause = std::min(patience, endpoints_.ready_at() - world_.clock.now());
    return world_.after(pause, [heard] { heard(fail(Errc::kUnavailable, "nobody to ask")); });
  }
  // Whichever comes first: the answer or the end of patience.
  auto waits = std::make_shared<bool>(true);  // owners: the answer on its way and the timer
  auto heard_once = [this, address = *address, waits, heard](Result<std::any> answer) {
    if (!std::exchange(*waits, false)) return;
    if (!answer) {
      endpoints_.failed(address, answer.error().message, world_.clock.now());
      return heard(fail(answer.error()));
    }
    endpoints_.succeeded(address);
    heard(std::any_cast<Kept>(*answer));
  };
  world_.after(patience, [heard_once] { heard_once(fail(Errc::kUnknown, "no answer")); });
  Member& member = *world_.find(*address);
  if (world_.clock.now() < cut_off_until_ || world_.network.loses()) return;
  auto work = [world = world_, lease, patience](node::Node& node, Callback<void(Result<std::any>)> done) {
    sim::keep_alive(world, node, patience, lease, [done = std::move(done)](Result<Kept> kept) mutable {
      if (!kept) return done(fail(kept.error()));
      done(std::any(*kept));
    });
  };
  auto answered = [this, heard_once](Result<std::any> answer) {
    if (world_.network.loses()) return;
    world_.schedule.after(world_.network.delay(), [heard_once, answer] { heard_once(answer); });
  };
  world_.schedule.after(
      world_.network.delay(), [world = world_, &member, patience, work, answered, heard_once] {
        if (!member.up()) return heard_once(fail(Errc::kUnavailable, "connection refused"));
        member.run(
            [world, &member, patience, work, answered] { enter(world, member, patience, work, answered); });
      });
}

void KeptLease::ask(LeaseId lease, Duration patience, std::function<void(Result<bool>)> done) {
  send(lease, patience, [done = std::move(done)](Result<Kept> kept) {
    if (!kept) return done(fail(kept.error()));
    done(kept->ttl.count() != 0);
  });
}

void KeptLease::acknowledged(Instant sent_at, const Kept& kept) {
  safety_->acknowledged(sent_at, kept.ttl);
  world_.oracle.check_beliefs();
  for (auto& done : std::exchange(waiting_, {})) done(true);
}

void KeptLease::lose() {
  auto on_lost = std::exchange(on_lost_, {});
  drop();
  for (auto& each : on_lost) each();
}

}  // namespace holdfast::sim
