#pragma once

#include <kj/async.h>

#include <memory>
#include <optional>

#include "base/result.h"
#include "client/engine.h"
#include "client/session/retry.h"
#include "schema/api.capnp.h"

namespace holdfast::sdk {

/// A watch as the service sees it, begun anew at another member whenever the one that served it fails. What
/// is watched, and where it goes on, is the derived class's. Thread: the I/O thread.
class Subscription : public Task {
 public:
  ~Subscription() noexcept(false) override;

  /// Done when a member has begun to serve it. Errors: what cannot be recovered from; kUnavailable in time.
  kj::Promise<Result<void>> begin();
  /// No more events; discards the task.
  void stop();
  void close() override;

 protected:
  Subscription(Engine& engine, std::uint64_t number, std::string what);

  /// Asks a member to serve it from where it stands. Returns: what keeps it served.
  virtual kj::Promise<Result<schema::Handle::Client>> subscribe(const Attempt& attempt) = 0;
  /// Events of a former member are not to be taken any more.
  virtual void unsubscribed() = 0;
  /// It is over for good: the user gets this after the events that came before.
  virtual void finish(Error error) = 0;

  /// The member ends the watch.
  void ended(Error error);
  Engine& engine() { return engine_; }

 private:
  kj::Promise<void> serve();
  kj::Promise<void> serve_over(kj::Own<Link> link);
  kj::Promise<void> again(Link* link, Error error);
  void give_up(Error error);

  Engine& engine_;
  const std::uint64_t number_;
  const std::string what_;

  bool over_ = false;
  bool begun_ = false;
  Instant served_since_ = kNever;
  session::Retry retry_;
  kj::Own<kj::PromiseFulfiller<Result<void>>> beginning_;  ///< null once begin() is done
  kj::Own<kj::PromiseFulfiller<Error>> member_ended_;
  kj::Promise<void> serving_;
};

}  // namespace holdfast::sdk
