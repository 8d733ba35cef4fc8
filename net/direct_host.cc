#include "net/direct_host.h"

#include <kj/refcount.h>

namespace holdfast::net {
namespace {

constexpr char kBrand = 0;

/// The library's own kind of capability, and whose it is.
class Host final : public capnp::ClientHook, public kj::Refcounted {
 public:
  Host(kj::Own<capnp::Capability::Server> server, Hosted hosted)
      : hosted_(hosted), local_(capnp::ClientHook::from(capnp::Capability::Client(kj::mv(server)))) {}

  const Hosted& what() const { return hosted_; }

  capnp::Request<capnp::AnyPointer, capnp::AnyPointer> newCall(
      std::uint64_t interface_id, std::uint16_t method, kj::Maybe<capnp::MessageSize> size_hint) override {
    return local_->newCall(interface_id, method, size_hint);
  }
  VoidPromiseAndPipeline call(std::uint64_t interface_id, std::uint16_t method,
                              kj::Own<capnp::CallContextHook>&& context) override {
    return local_->call(interface_id, method, kj::mv(context));
  }
  kj::Maybe<capnp::ClientHook&> getResolved() override { return nullptr; }
  kj::Maybe<kj::Promise<kj::Own<capnp::ClientHook>>> whenMoreResolved() override { return nullptr; }
  kj::Own<capnp::ClientHook> addRef() override { return kj::addRef(*this); }
  const void* getBrand() override { return &kBrand; }
  kj::Maybe<int> getFd() override { return local_->getFd(); }

 private:
  const Hosted hosted_;
  kj::Own<capnp::ClientHook> local_;  // owns it
};

}  // namespace

capnp::Capability::Client host(kj::Own<capnp::Capability::Server> server, Hosted hosted) {
  return capnp::Capability::Client(kj::Own<capnp::ClientHook>(kj::refcounted<Host>(kj::mv(server), hosted)));
}

Hosted hosted(capnp::ClientHook& capability) {
  return capability.getBrand() == &kBrand ? static_cast<Host&>(capability).what() : Hosted{};
}

}  // namespace holdfast::net
