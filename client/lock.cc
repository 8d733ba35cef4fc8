#include "holdfast/lock.h"

#include <algorithm>

#include "client/guards.h"
#include "client/lock_claim.h"
#include "client/runtime.h"

namespace holdfast::client {

namespace {
milliseconds in_ms(Duration duration) { return std::chrono::duration_cast<milliseconds>(duration); }
}  // namespace

Lock::Lock(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lock::Lock(Lock&&) noexcept = default;
Lock& Lock::operator=(Lock&&) noexcept = default;
Lock::~Lock() = default;

Lock::Impl::Impl(std::shared_ptr<sdk::Runtime> runtime, sdk::HeldLock held)
    : runtime_(std::move(runtime)), held_(std::move(held)) {}

Lock::Impl::~Impl() {
  if (released_) {
    return;
  }
  if (held_.lease->is_safe() && !runtime_->on_io_thread()) {
    // So that the lock is free, also for this client, when the guard is gone.
    static_cast<void>(release());
    return;
  }
  runtime_->post([number = held_.number](sdk::Engine& engine) {
    if (auto* claim = engine.find<sdk::LockClaim>(number)) {
      engine.spawn(claim->release().ignoreResult());
    }
  });
}

Result<void> Lock::Impl::release() {
  if (released_) {
    return tl::unexpected(Error{Errc::kNotHolder, "lock \"" + held_.name + "\" was released before"});
  }
  released_ = true;
  return runtime_->run<void>(
      [number = held_.number](sdk::Engine& engine) -> kj::Promise<holdfast::Result<void>> {
        if (auto* claim = engine.find<sdk::LockClaim>(number)) {
          return claim->release();
        }
        return holdfast::Result<void>(fail(holdfast::Errc::kNotHolder, "the lock is no longer held"));
      },
      holdfast::Errc::kUnknown);
}

const std::string& Lock::name() const { return impl_->held().name; }
std::uint64_t Lock::token() const { return impl_->held().token.value(); }
LeaseId Lock::lease() const { return {impl_->held().lease->lease().value()}; }
bool Lock::is_safe() const { return impl_->held().lease->is_safe(); }
milliseconds Lock::safe_for() const { return in_ms(impl_->held().lease->safe_for()); }
bool Lock::wait_lost(milliseconds limit) const { return impl_->held().lease->wait_lost(limit); }
Result<void> Lock::release() { return impl_->release(); }

}  // namespace holdfast::client
