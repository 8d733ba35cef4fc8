#pragma once

#include <capnp/capability.h>
#include <kj/async.h>
#include <kj/debug.h>

#include <utility>

#include "base/callback.h"
#include "base/result.h"
#include "net/direct_call.h"
#include "rpc/errors.h"

namespace holdfast::rpc {

/// What the library is told to expect of an answer with a few numbers in it. Untold, it takes, clears and
/// frees 8 KiB for each, which is a tenth of what a write costs.
constexpr capnp::MessageSize kShortAnswer{24, 0};

template <typename Context>
void refuse(Context& context, const Error& error) {
  write_error(error, context.getResults(kShortAnswer).initOutcome().initError());
}

/// A call until it is answered.
template <typename Params, typename Results>
class Call {
 public:
  using Context = capnp::CallContext<Params, Results>;

  /// Held by whoever carries the call out here, until it has ended. The call may be dropped meanwhile.
  class Pending {
   public:
    explicit Pending(Call& call) : call_(&call) { call.pending_ = this; }
    Pending(Pending&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {
      if (call_) call_->pending_ = this;
    }
    Pending& operator=(Pending&&) = delete;
    ~Pending() {
      if (call_) detach()->fulfiller_.reject(KJ_EXCEPTION(DISCONNECTED, "this member is going away"));
    }

    /// `fill(context)` writes the results, or says why not: Result<void>. It does not run if nobody waits any
    /// more.
    template <typename Fill>
    void end(Fill fill) {
      if (call_) detach()->end(fill);
    }
    /// The same for an answer that may be large, and one of many that could be made now: in a turn of its
    /// own, and not while those before it wait to leave.
    template <typename Fill>
    void end_in_turn(Fill fill) {
      if (!call_) return;
      Call& call = *call_;
      call.later([pending = std::move(*this), fill = std::move(fill)]() mutable {
        pending.end_with_room(std::move(fill));
      });
    }

    /// `attachment` is dropped with the call, or for the next one.
    void attach(kj::Own<void> attachment) {
      if (call_) call_->attachment_ = kj::mv(attachment);
    }

   private:
    friend Call;
    template <typename Fill>
    void end_with_room(Fill fill) {
      if (!call_ || !call_->direct_ || call_->direct_->has_room()) return end(std::move(fill));
      net::DirectCall& direct = *call_->direct_;
      direct.when_room(
          [pending = std::move(*this), fill = std::move(fill)]() mutable { pending.end(std::move(fill)); });
    }
    Call* detach() {
      call_->pending_ = nullptr;
      return std::exchange(call_, nullptr);
    }
    Call* call_;
  };

 protected:
  /// `direct` is the fulfiller, if the call came past the RPC system.
  Call(kj::PromiseFulfiller<void>& fulfiller, net::DirectCall* direct, Context context)
      : context_(context), fulfiller_(fulfiller), direct_(direct) {}
  ~Call() {
    if (pending_) pending_->detach();
  }
  KJ_DISALLOW_COPY(Call);

  /// It ended with an error here.
  virtual void settle(const Error& error) = 0;
  /// Runs it when its turn comes.
  virtual void later(Callback<void()> then) = 0;

  template <typename Fill>
  void end(Fill fill) {
    auto exception = kj::runCatchingExceptions([&] {
      Result<void> done = fill(context_);
      if (!done) return settle(done.error());
      fulfiller_.fulfill();
    });
    KJ_IF_MAYBE (failure, exception) {
      fulfiller_.reject(kj::mv(*failure));
    }
  }

  Context context_;
  kj::PromiseFulfiller<void>& fulfiller_;

 private:
  net::DirectCall* const direct_;
  Pending* pending_ = nullptr;
  kj::Own<void> attachment_;
};

}  // namespace holdfast::rpc
