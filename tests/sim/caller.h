#pragma once

#include <any>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "client/session/endpoints.h"
#include "client/session/retry.h"
#include "state/command.h"
#include "tests/sim/clock.h"
#include "tests/sim/member.h"
#include "tests/sim/network.h"
#include "tests/sim/oracle.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

class Session;

/// What a client needs of the world.
struct Surroundings {
  Schedule& schedule;
  Network& network;
  Verdict& verdict;
  Oracle& oracle;
  const std::vector<std::unique_ptr<Member>>& members;
  Clock clock;  ///< the client's own
  bool large_values;
  std::uint64_t session_window;  ///< writes that a session may have open
  /// A deliberate bug, to see that it is found: a repeated command gets a new sequence number.
  bool careless = false;

  /// Runs `what` when the client's clock shows `when`.
  void at(Instant when, Callback<void()> what) const { schedule.at(clock.when(when), std::move(what)); }
  void after(Duration delay, Callback<void()> what) const { at(clock.now() + delay, std::move(what)); }
  Member* find(const std::string& endpoint) const;
};

/// The client's addresses: every member's.
session::Endpoints endpoints_of(const Surroundings& world, Random random);

/// What is sent with one attempt of a call.
struct Attempt {
  node::Node& node;
  Duration timeout;  ///< for the node
  state::Stamp stamp;
};

struct Request {
  session::Repeat repeat = session::Repeat::kRead;
  Duration total = std::chrono::seconds(4);
  bool names_lease = false;  ///< "no such lease" need not speak of the session
  Duration attempt = milliseconds(900);
};

/// Calls of one client. Bringing them to a member is the world's; whom to ask, what to do after an outcome
/// and what to call it in the end is the SDK's own session core.
class Caller {
 public:
  Caller(Surroundings surroundings, Random random);
  /// Writes that may be stamped are stamped by it from now on.
  void stamp_with(Session& session) { session_ = &session; }

  template <typename T>
  using Send = std::function<void(const Attempt&, Callback<void(Result<T>)>)>;

  /// `done` gets the answer, or kUnavailable (it certainly had no effect), or kUnknown.
  template <typename T>
  void call(Request request, Send<T> send, std::function<void(Result<T>)> done) {
    run(
        request,
        [send = std::move(send)](const Attempt& attempt, Callback<void(Answer)> answered) {
          send(attempt, [answered = std::move(answered)](Result<T> result) mutable {
            if (!result) return answered(fail(result.error()));
            answered(std::any(std::move(*result)));
          });
        },
        [done = std::move(done)](Answer answer) {
          if (!answer) return done(fail(answer.error()));
          done(std::any_cast<T>(std::move(*answer)));
        });
  }

 private:
  class Call;
  using Answer = Result<std::any>;
  using SendAny = std::function<void(const Attempt&, Callback<void(Answer)>)>;

  void run(Request request, SendAny send, std::function<void(Answer)> done);

  Surroundings world_;
  Random random_;
  session::Endpoints endpoints_;
  Session* session_ = nullptr;
};

}  // namespace holdfast::sim
