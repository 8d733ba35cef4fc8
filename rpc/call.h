#pragma once

#include <capnp/capability.h>
#include <kj/async.h>
#include <kj/debug.h>

#include <utility>

#include "base/result.h"
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

   private:
    friend Call;
    Call* detach() {
      call_->pending_ = nullptr;
      return std::exchange(call_, nullptr);
    }
    Call* call_;
  };

 protected:
  Call(kj::PromiseFulfiller<void>& fulfiller, Context context) : context_(context), fulfiller_(fulfiller) {}
  ~Call() {
    if (pending_) pending_->detach();
  }
  KJ_DISALLOW_COPY(Call);

  /// It ended with an error here.
  virtual void settle(const Error& error) = 0;

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
  Pending* pending_ = nullptr;
};

}  // namespace holdfast::rpc
