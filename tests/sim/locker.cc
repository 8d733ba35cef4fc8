#include <utility>

#include "tests/sim/actors.h"

namespace holdfast::sim {

Locker::Locker(Surroundings surroundings, Random random, int number)
    : world_(surroundings),
      random_(random.fork()),
      session_(surroundings, random.fork(), milliseconds(random.between(600, 3000))),
      name_("locker" + std::to_string(number)) {}

void Locker::start() {
  session_.open();
  next();
}

void Locker::next() {
  busy_ = false;
  world_.schedule.after(milliseconds(random_.between(1, 200)), [this] {
    if (finishing_) return;
    if (!session_.lease()) return next();
    busy_ = true;
    acquire();
  });
}

void Locker::acquire() {
  wish_ = {};
  wish_.lock = "lock" + std::to_string(random_.below(2));
  wish_.lease = session_.lease();
  wish_.owner = name_;
  wish_.queue = random_.chance(75);
  if (random_.chance(50)) wish_.wait = milliseconds(random_.between(10, 1500));
  wish_.attempt = ++attempts_;
  state::Stamp stamp = session_.next_stamp();
  session_.caller().call<Token>(
      [wish = wish_, stamp](node::Node& node, Callback<void(Result<Token>)> done) {
        acquire_and_wait(node, wish, stamp, std::move(done));
      },
      true, milliseconds(random_.between(500, 3000)),
      [this](const Outcome<Token>& outcome) {
        if (!outcome.result) return cancel();
        world_.schedule.after(milliseconds(random_.between(1, 400)),
                              [this, token = *outcome.result] { release(token); });
      });
}

void Locker::release(Token token) {
  // Under another session by now, the claim has gone with the lease.
  if (session_.lease() != wish_.lease) return next();
  session_.propose(state::ReleaseLock{wish_.lock, token}, std::chrono::seconds(3),
                   [this, token](const Outcome<state::ReplyBody>& outcome) {
                     if (outcome.result) return next();
                     Errc code = outcome.result.error().code;
                     if (code == Errc::kNotHolder || code == Errc::kLeaseNotFound) return next();
                     release(token);
                   });
}

void Locker::cancel() {
  if (session_.lease() != wish_.lease) return next();
  session_.propose(state::CancelAcquire{wish_.lock, wish_.lease, wish_.attempt}, std::chrono::seconds(3),
                   [this](const Outcome<state::ReplyBody>& outcome) {
                     if (outcome.result || outcome.result.error().code == Errc::kLeaseNotFound) return next();
                     cancel();
                   });
}

}  // namespace holdfast::sim
