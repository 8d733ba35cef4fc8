#pragma once

#include <kj/async.h>
#include <kj/function.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "client/channel.h"
#include "client/session/retry.h"
#include "client/session/sequence.h"
#include "client/stamps.h"
#include "net/event_loop.h"

namespace holdfast::sdk {

/// What every call says about itself.
struct Request {
  std::string what;  ///< "put \"a\"": begins the message of an error
  /// kNever becomes kStamped if the client has sessions.
  session::Repeat repeat = session::Repeat::kRead;
  Instant deadline = kNever;
  /// The request names a lease other than the session's, so lease_not_found may mean that one.
  bool names_lease = false;
};

/// One try at one member.
struct Attempt {
  Link& link;
  milliseconds timeout{0};  ///< for the member to answer within
  session::Stamp stamp;
  /// An earlier attempt may have taken effect.
  bool repeated = false;

  void fill(schema::Call::Builder call) const;
};

/// Makes calls: finds a member, stamps what writes, repeats what may be repeated, and says honestly what came
/// of it. What to do after each attempt is decided by session::Retry. Thread: the I/O thread.
class Caller {
 public:
  /// `stamps`: null if the client has no sessions.
  Caller(net::EventLoop& loop, Channel& channel, Random random);
  void use_stamps(Stamps* stamps) { stamps_ = stamps; }

  template <typename T>
  using Send = kj::Function<kj::Promise<Result<T>>(const Attempt&)>;

  /// Errors: what the service answered; kUnavailable, kUnknown.
  template <typename T>
  kj::Promise<Result<T>> call(Request request, Send<T> send) {
    auto answer = kj::heap<std::optional<T>>();
    auto& slot = *answer;
    return run(std::move(request),
               [send = kj::mv(send), &slot](const Attempt& attempt) mutable {
                 return send(attempt).then([&slot](Result<T> result) -> std::optional<Error> {
                   if (!result) {
                     return std::move(result.error());
                   }
                   slot.emplace(std::move(*result));
                   return std::nullopt;
                 });
               })
        .then([answer = kj::mv(answer)](std::optional<Error> error) -> Result<T> {
          if (error) {
            return fail(std::move(*error));
          }
          return std::move(**answer);
        });
  }

 private:
  class Call;
  using SendUntyped = kj::Function<kj::Promise<std::optional<Error>>(const Attempt&)>;

  /// Returns: nullopt if it succeeded.
  kj::Promise<std::optional<Error>> run(Request request, SendUntyped send);

  net::EventLoop& loop_;
  Channel& channel_;
  Random random_;
  Stamps* stamps_ = nullptr;
};

}  // namespace holdfast::sdk
