#include <any>
#include <utility>
#include <variant>

#include "tests/sim/actors.h"
#include "tests/sim/door.h"

namespace holdfast::sim {

namespace {

constexpr Duration kPatience = milliseconds(400);

}  // namespace

LoyalClient::LoyalClient(Surroundings surroundings, Random random)
    : world_(surroundings), random_(random.fork()), caller_(surroundings, random.fork()) {}

void LoyalClient::start() { next(); }

void LoyalClient::next() {
  world_.after(milliseconds(random_.between(1, 30)), [this] {
    if (finishing_) return;
    if (world_.clock.now() >= moves_on_) choose();
    if (world_.clock.now() >= lease_over_) new_lease();
    if (member_->up() && !world_.network.loses()) random_.chance(50) ? read() : keep_alive();
    if (random_.chance(2)) revoke();
    next();
  });
}

/// Whoever leads by its own account, more often than not: that one may be wrong some day.
void LoyalClient::choose() {
  moves_on_ = world_.clock.now() + milliseconds(random_.between(300, 3000));
  member_ = world_.members[random_.below(world_.members.size())].get();
  if (random_.chance(30)) return;
  for (const auto& member : world_.members) {
    if (member->up() && member->node()->is_leader()) member_ = member.get();
  }
}

/// Nobody waits for the answer: what it may be was said when it was given.
void LoyalClient::read() {
  auto work = [world = world_](node::Node& node, Callback<void(Result<std::any>)> done) {
    auto seen = [done = std::move(done)](Result<Revision> revision) mutable {
      if (!revision) return done(fail(revision.error()));
      done(std::any(*revision));
    };
    read_linearizably(world, {node, kPatience, {}}, std::move(seen));
  };
  world_.schedule.after(world_.network.delay(), [world = world_, member = member_, work] {
    member->run([world, member, work] { enter(world, *member, kPatience, work, [](const auto&) {}); });
  });
}

void LoyalClient::keep_alive() {
  if (!lease_) return;
  auto work = [world = world_, lease = lease_](node::Node& node, Callback<void(Result<std::any>)> done) {
    auto kept = [done = std::move(done)](Result<Kept> answer) mutable {
      if (!answer) return done(fail(answer.error()));
      done(std::any(*answer));
    };
    sim::keep_alive(world, node, kPatience, lease, std::move(kept));
  };
  world_.schedule.after(world_.network.delay(), [world = world_, member = member_, work] {
    member->run([world, member, work] { enter(world, *member, kPatience, work, [](const auto&) {}); });
  });
}

void LoyalClient::new_lease() {
  if (std::exchange(granting_, true)) return;
  const milliseconds ttl(random_.between(100, 500));
  caller_.call<state::ReplyBody>(
      {session::Repeat::kHarmless, std::chrono::seconds(2)},
      [ttl](const Attempt& attempt, Callback<void(state::Reply)> answered) {
        attempt.node.propose(state::GrantLease{ttl}, {}, attempt.timeout, std::move(answered));
      },
      [this](const state::Reply& reply) {
        granting_ = false;
        lease_ = reply ? std::get<state::LeaseGranted>(*reply).lease : LeaseId();
        lease_over_ = world_.clock.now() + milliseconds(random_.between(100, 1500));
      });
}

void LoyalClient::revoke() {
  if (!lease_) return;
  caller_.call<state::ReplyBody>(
      {session::Repeat::kHarmless, std::chrono::seconds(1)},
      [lease = lease_](const Attempt& attempt, Callback<void(state::Reply)> answered) {
        attempt.node.propose(state::RevokeLease{lease}, {}, attempt.timeout, std::move(answered));
      },
      [](const auto&) {});
}

}  // namespace holdfast::sim
