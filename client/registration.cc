#include "holdfast/registration.h"

#include "client/guards.h"
#include "client/registration_keeper.h"
#include "client/runtime.h"

namespace holdfast::client {

Registration::Registration(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registration::Registration(Registration&&) noexcept = default;
Registration& Registration::operator=(Registration&&) noexcept = default;
Registration::~Registration() = default;

Registration::Impl::Impl(std::shared_ptr<sdk::Runtime> runtime, sdk::Registered registered)
    : runtime_(std::move(runtime)), registered_(std::move(registered)) {}

Registration::Impl::~Impl() {
  if (over_) {
    return;
  }
  if (registered_.lease->is_safe() && !runtime_->on_io_thread()) {
    static_cast<void>(deregister());
    return;
  }
  runtime_->post([number = registered_.number](sdk::Engine& engine) {
    if (auto* keeper = engine.find<sdk::RegistrationKeeper>(number)) {
      engine.spawn(keeper->end().ignoreResult());
    }
  });
}

Result<void> Registration::Impl::deregister() {
  if (over_) {
    return tl::unexpected(Error{Errc::kInstanceNotFound, "it was deregistered before"});
  }
  over_ = true;
  return runtime_->run<void>(
      [number = registered_.number](sdk::Engine& engine) -> kj::Promise<holdfast::Result<void>> {
        if (auto* keeper = engine.find<sdk::RegistrationKeeper>(number)) {
          return keeper->end();
        }
        return holdfast::Result<void>(fail(holdfast::Errc::kInstanceNotFound, "it is no longer registered"));
      },
      holdfast::Errc::kUnknown);
}

const std::string& Registration::service() const { return impl_->registered().service; }
LeaseId Registration::lease() const { return {impl_->registered().lease->lease().value()}; }
milliseconds Registration::safe_for() const {
  return std::chrono::duration_cast<milliseconds>(impl_->registered().lease->safe_for());
}
bool Registration::wait_lost(milliseconds limit) const { return impl_->registered().lease->wait_lost(limit); }
Result<void> Registration::deregister() { return impl_->deregister(); }

}  // namespace holdfast::client
