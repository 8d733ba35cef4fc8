#pragma once

#include <kj/async.h>
#include <kj/refcount.h>

#include <memory>
#include <optional>

#include "base/result.h"
#include "base/time.h"
#include "client/session/sequence.h"
#include "net/event_loop.h"

namespace holdfast::sdk {

class Caller;
class LeaseKeeper;

/// The client's session: granted with the first write, kept alive, and replaced by a new one after its end.
/// Thread: the I/O thread.
class Stamps {
 public:
  class Session;

  /// The number of one write; given back when this is destroyed, at the end of its call.
  class Open {
   public:
    Open(kj::Own<Session> session, std::uint64_t sequence);
    ~Open();
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

    session::Stamp stamp() const;
    LeaseId session() const;

   private:
    kj::Own<Session> session_;
    std::uint64_t sequence_;
  };

  Stamps(net::EventLoop& loop, Caller& caller, LeaseKeeper& keeper, milliseconds ttl,
         milliseconds call_timeout);
  ~Stamps();

  /// Waits for a session and for room in its window. Errors: kUnavailable (the write was not sent).
  kj::Promise<Result<kj::Own<Open>>> begin(Instant deadline);
  /// The service does not know that session any more; the next write begins a new one.
  void ended(LeaseId session);
  /// The session in use; zero: none. No new write goes under it.
  LeaseId close();

 private:
  kj::Promise<void> grant();
  kj::Promise<Result<kj::Own<Open>>> within(Instant deadline, kj::Promise<void> ready, const char* too_late);

  net::EventLoop& loop_;
  Caller& caller_;
  LeaseKeeper& keeper_;
  const milliseconds ttl_;
  const milliseconds call_timeout_;

  kj::Own<Session> current_;  ///< null: none
  bool granting_ = false;
  kj::ForkedPromise<void> granted_ = nullptr;
  std::optional<Error> refused_;  ///< of the last grant
};

}  // namespace holdfast::sdk
