#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/sim/member.h"
#include "tests/sim/network.h"
#include "tests/sim/oracle.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

/// What clients need of the world.
struct Surroundings {
  Schedule& schedule;
  Network& network;
  Verdict& verdict;
  Oracle& oracle;
  const std::vector<std::unique_ptr<Member>>& members;
  /// A deliberate bug, to see that it is found: a repeated command gets a new sequence number.
  bool careless = false;
};

/// How a call ended for good.
template <typename T>
struct Outcome {
  Result<T> result;
  /// An earlier or the last attempt may have taken effect unheard.
  bool uncertain = false;
};

/// Brings calls to whichever member takes them: loses them on the way, repeats what may be repeated, and
/// remembers whether an attempt went unanswered.
class Caller {
 public:
  static constexpr Duration kAttemptTimeout = milliseconds(900);

  Caller(Surroundings surroundings, Random random) : world_(surroundings), random_(random) {}

  /// What to do at a node; the callback takes its answer.
  template <typename T>
  using Request = std::function<void(node::Node&, Callback<void(Result<T>)>)>;

  /// `repeatable`: an attempt whose fate is unknown may be made again.
  template <typename T>
  void call(Request<T> request, bool repeatable, Duration total, std::function<void(Outcome<T>)> done) {
    auto state = std::make_shared<Call<T>>();
    state->request = std::move(request);
    state->repeatable = repeatable;
    state->give_up = world_.schedule.now() + total;
    state->done = std::move(done);
    attempt(std::move(state));
  }

 private:
  template <typename T>
  struct Call {
    Request<T> request;
    bool repeatable = false;
    Instant give_up;
    std::function<void(Outcome<T>)> done;
    int attempt = 0;
    bool uncertain = false;
  };
  // Owners of a call: its attempts that are still under way.
  template <typename T>
  using Shared = std::shared_ptr<Call<T>>;

  template <typename T>
  void attempt(Shared<T> call) {
    int number = ++call->attempt;
    Member& member = *world_.members[target_ % world_.members.size()];
    world_.schedule.after(kAttemptTimeout, [this, call, number] {
      answer<T>(call, number, fail(Errc::kUnknown, "no answer"));
    });
    if (!member.up()) {
      world_.schedule.after(world_.network.delay(), [this, call, number] {
        answer<T>(call, number, fail(Errc::kUnavailable, "connection refused"));
      });
      return;
    }
    if (world_.network.loses()) return;
    world_.schedule.after(world_.network.delay(), [this, call, number, &member] {
      member.run([this, call, number, &member] {
        call->request(*member.node(), [this, call, number](Result<T> result) {
          if (world_.network.loses()) return;
          world_.schedule.after(world_.network.delay(), [this, call, number, result = std::move(result)] {
            answer<T>(call, number, result);
          });
        });
      });
    });
  }

  template <typename T>
  void answer(const Shared<T>& call, int number, Result<T> result) {
    if (number != call->attempt) return;
    ++call->attempt;  // later answers to this attempt come too late
    bool again = !result && (is_safe_to_retry(result.error().code) || is_unknown(result.error().code));
    if (!again) return call->done({std::move(result), call->uncertain});
    target_ = random_.next();
    if (is_unknown(result.error().code)) call->uncertain = true;
    bool may_repeat = !is_unknown(result.error().code) || call->repeatable;
    if (!may_repeat || world_.schedule.now() >= call->give_up) {
      return call->done({std::move(result), call->uncertain});
    }
    world_.schedule.after(milliseconds(random_.between(5, 150)), [this, call] { attempt(call); });
  }

  Surroundings world_;
  Random random_;
  std::uint64_t target_ = 0;
};

}  // namespace holdfast::sim
