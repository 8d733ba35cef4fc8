#include "tests/sim/caller.h"

#include <algorithm>
#include <optional>
#include <string>

#include "tests/sim/door.h"
#include "tests/sim/session.h"

namespace holdfast::sim {

using session::Decision;
using session::Outcome;
using session::Repeat;

Member* Surroundings::find(const std::string& endpoint) const {
  for (const auto& member : members) {
    if (member->options().client_endpoint == endpoint) return member.get();
  }
  return nullptr;
}

session::Endpoints endpoints_of(const Surroundings& world, Random random) {
  std::vector<std::string> addresses;
  for (const auto& member : world.members) addresses.push_back(member->options().client_endpoint);
  // Not everybody begins at the first.
  std::rotate(addresses.begin(), addresses.begin() + static_cast<long>(random.below(addresses.size())),
              addresses.end());
  return {std::move(addresses), random};
}

/// One call from its first attempt to its outcome. Owners: its attempts and pauses.
class Caller::Call : public std::enable_shared_from_this<Call> {
 public:
  Call(Caller& caller, Request request, SendAny send, std::function<void(Answer)> done)
      : caller_(caller),
        world_(caller.world_),
        request_(request),
        send_(std::move(send)),
        done_(std::move(done)),
        retry_(request.repeat, world_.clock.now() + request.total, caller.random_.fork()) {}

  void step() {
    if (request_.repeat != Repeat::kStamped || stamp_) return attempt();
    caller_.session_->begin(retry_.deadline(), [self = shared_from_this()](Result<Session::Open> open) {
      if (!open) return self->done_(fail(open.error()));
      self->stamp_ = std::move(*open);
      self->attempt();
    });
  }

 private:
  void attempt() {
    Instant now = world_.clock.now();
    auto address = caller_.endpoints_.next(now);
    if (!address) {
      Instant ready = caller_.endpoints_.ready_at();
      if (ready >= retry_.deadline()) {
        return world_.at(retry_.deadline(),
                         [self = shared_from_this()] { self->give_up("no member can be reached"); });
      }
      return world_.at(ready, [self = shared_from_this()] { self->attempt(); });
    }
    Member& member = *world_.find(*address);
    if (!member.up()) {
      caller_.endpoints_.failed(*address, "connection refused", now);
      return world_.schedule.after(world_.network.delay(), [self = shared_from_this()] { self->attempt(); });
    }
    int number = ++attempts_;
    Duration limit = std::min(request_.attempt, std::max<Duration>(retry_.deadline() - now, milliseconds(1)));
    world_.after(limit, [self = shared_from_this(), number, address = *address] {
      self->answered(number, address, fail(Errc::kUnknown, "no answer"), true);
    });
    send(member, limit - limit / 8, number, *address);
  }

  void send(Member& member, Duration timeout, int number, const std::string& address) {
    if (world_.network.loses()) return;
    state::Stamp stamp;
    if (stamp_) stamp = stamp_->stamp();
    auto work = [send = send_, timeout, stamp](node::Node& node, Callback<void(Answer)> done) {
      send({node, timeout, stamp}, std::move(done));
    };
    auto hear = [self = shared_from_this(), number, address](Answer answer) {
      if (self->world_.network.loses()) return;
      self->world_.schedule.after(self->world_.network.delay(), [self, number, address, answer] {
        self->answered(number, address, answer, false);
      });
    };
    world_.schedule.after(world_.network.request_delay(), [world = world_, &member, timeout, work, hear] {
      member.run([world, &member, timeout, work, hear] { enter(world, member, timeout, work, hear); });
    });
  }

  void answered(int number, const std::string& address, Answer answer, bool silent) {
    if (number != attempts_) return;
    ++attempts_;  // later answers to this attempt come too late
    if (answer) {
      caller_.endpoints_.succeeded(address);
      return decide(address, {}, std::move(answer), false);
    }
    if (stamp_ && answer.error().code == Errc::kLeaseNotFound) return whose_lease(address, std::move(answer));
    Outcome outcome = silent ? Outcome{Outcome::Kind::kLost} : Outcome::error(answer.error().code);
    decide(address, outcome, std::move(answer), silent);
  }

  /// "No such lease" under a stamp may speak of the session or of a lease that the request names.
  void whose_lease(const std::string& address, Answer answer) {
    if (!request_.names_lease)
      return decide(address, {Outcome::Kind::kSessionGone}, std::move(answer), false);
    auto heard = [self = shared_from_this(), address, answer](Result<bool> lives) {
      Outcome outcome{Outcome::Kind::kLost};
      if (lives)
        outcome = *lives ? Outcome::error(answer.error().code) : Outcome{Outcome::Kind::kSessionGone};
      self->decide(address, outcome, answer, false);
    };
    caller_.session_->ask_whether_alive(stamp_->session(), heard);
  }

  void decide(const std::string& address, Outcome outcome, Answer answer, bool silent) {
    Instant now = world_.clock.now();
    Decision decision = retry_.after(outcome, now);
    bool no_good = decision.elsewhere && outcome.kind == Outcome::Kind::kError &&
                   outcome.code != Errc::kOverloaded && outcome.code != Errc::kNotCommitted;
    if (silent || no_good) caller_.endpoints_.failed(address, answer.error().message, now);
    switch (decision.action) {
      case Decision::Action::kGiveAnswer:
        return end(std::move(answer));
      case Decision::Action::kGiveUnavailable:
        return end(fail(Errc::kUnavailable, answer.error().message));
      case Decision::Action::kGiveUnknown:
        return end(fail(Errc::kUnknown, answer.error().message));
      case Decision::Action::kAgain:
        break;
    }
    if (decision.new_session) caller_.session_->ended(stamp_->session());
    if (decision.new_session || world_.careless) stamp_.reset();
    world_.at(decision.at, [self = shared_from_this()] { self->step(); });
  }

  void give_up(const char* why) { end(fail(retry_.ambiguous() ? Errc::kUnknown : Errc::kUnavailable, why)); }

  void end(Answer answer) {
    stamp_.reset();
    done_(std::move(answer));
  }

  Caller& caller_;
  const Surroundings world_;
  const Request request_;
  SendAny send_;
  std::function<void(Answer)> done_;
  session::Retry retry_;
  std::optional<Session::Open> stamp_;
  int attempts_ = 0;
};

Caller::Caller(Surroundings surroundings, Random random)
    : world_(surroundings), random_(random.fork()), endpoints_(endpoints_of(world_, random.fork())) {}

void Caller::run(Request request, SendAny send, std::function<void(Answer)> done) {
  std::make_shared<Call>(*this, request, std::move(send), std::move(done))->step();
}

}  // namespace holdfast::sim
