#include "client/stamps.h"

#include <deque>
#include <utility>

#include "client/caller.h"
#include "client/clock.h"
#include "client/lease_keeper.h"
#include "client/requests.h"

namespace holdfast::sdk {

class Stamps::Session final : public kj::Refcounted {
 public:
  explicit Session(LeaseId lease) : sequence(lease) {}

  /// Done when a number was given back.
  kj::Promise<void> room() {
    auto waiting = kj::newPromiseAndFulfiller<void>();
    waiters_.push_back(kj::mv(waiting.fulfiller));
    return kj::mv(waiting.promise);
  }
  void end(std::uint64_t number) {
    sequence.end(number);
    for (auto& waiter : std::exchange(waiters_, {})) {
      waiter->fulfill();
    }
  }

  session::Sequence sequence;

 private:
  std::deque<kj::Own<kj::PromiseFulfiller<void>>> waiters_;
};

Stamps::Open::Open(kj::Own<Session> session, std::uint64_t sequence)
    : session_(kj::mv(session)), sequence_(sequence) {}
Stamps::Open::~Open() { session_->end(sequence_); }
session::Stamp Stamps::Open::stamp() const { return session_->sequence.stamp(sequence_); }
LeaseId Stamps::Open::session() const { return session_->sequence.session(); }

Stamps::Stamps(net::EventLoop& loop, Caller& caller, LeaseKeeper& keeper, milliseconds ttl,
               milliseconds call_timeout)
    : loop_(loop), caller_(caller), keeper_(keeper), ttl_(ttl), call_timeout_(call_timeout) {}

Stamps::~Stamps() = default;

kj::Promise<Result<kj::Own<Stamps::Open>>> Stamps::begin(Instant deadline) {
  using Begun = Result<kj::Own<Open>>;
  if (current_.get() != nullptr) {
    if (auto number = current_->sequence.begin()) {
      return Begun(kj::heap<Open>(kj::addRef(*current_), *number));
    }
    return within(deadline, current_->room(), "its session has too many writes open");
  }
  if (!granting_) {
    granting_ = true;
    granted_ = grant().fork();
  }
  return within(deadline, granted_.addBranch(), "no session could be opened in time");
}

kj::Promise<Result<kj::Own<Stamps::Open>>> Stamps::within(Instant deadline, kj::Promise<void> ready,
                                                          const char* too_late) {
  using Begun = Result<kj::Own<Open>>;
  return ready
      .then([this, deadline]() -> kj::Promise<Begun> {
        if (current_.get() == nullptr && refused_) {
          return Begun(fail(*refused_));
        }
        return begin(deadline);
      })
      .exclusiveJoin(loop_.timer().afterDelay(delay(now(), deadline)).then([too_late]() {
        return Begun(fail(Errc::kUnavailable, too_late));
      }));
}

kj::Promise<void> Stamps::grant() {
  Instant start = now();
  return grant_lease(caller_, "open a session", ttl_, start + call_timeout_)
      .then([this, start](Result<Granted> granted) {
        granting_ = false;
        if (!granted) {
          // Nothing was sent of the write that waits for the session, whatever became of the session.
          refused_ = granted.error();
          refused_->code = is_unknown(refused_->code) ? Errc::kUnavailable : refused_->code;
          return;
        }
        refused_.reset();
        LeaseId lease = granted->lease;
        current_ = kj::refcounted<Session>(lease);
        keeper_.keep(lease, granted->ttl, start, nullptr, [this, lease](Error) { ended(lease); });
      });
}

void Stamps::ended(LeaseId session) {
  if (current_.get() != nullptr && current_->sequence.session() == session) {
    keeper_.drop(session);
    current_ = nullptr;
  }
}

LeaseId Stamps::close() {
  LeaseId session = current_.get() != nullptr ? current_->sequence.session() : LeaseId();
  ended(session);
  return session;
}

}  // namespace holdfast::sdk
