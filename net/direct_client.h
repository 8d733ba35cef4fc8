#pragma once

#include <capnp/capability.h>
#include <kj/refcount.h>

#include "net/direct_party.h"

namespace holdfast::net {

/// Where a call goes: to a capability that the peer gave, or to the one that is the first pointer of what a
/// question of this side's returns.
struct DirectAim {
  static DirectAim at_import(DirectNumber import) { return {true, import}; }
  static DirectAim at_answer(DirectNumber question) { return {false, question}; }

  /// Into a call's target, which may have been aimed at the same kind of thing before.
  void write(protocol::MessageTarget::Builder target) const;

  bool is_import;
  DirectNumber number;
};

/// A capability of the peer's that is called without the RPC system. One that was given is given back when
/// this goes. What its calls return may hold capabilities, but nothing can be called before it has come.
class DirectClient final : public capnp::ClientHook, public kj::Refcounted {
 public:
  /// Of an import, it is one reference.
  DirectClient(DirectParty& party, DirectAim aim) : party_(kj::addRef(party)), aim_(aim) {}
  ~DirectClient() noexcept(false);
  KJ_DISALLOW_COPY(DirectClient);

  /// Null if it is none.
  static DirectClient* of(capnp::ClientHook& capability);

  DirectParty& party() { return *party_; }
  DirectAim aim() const { return aim_; }

  capnp::Request<capnp::AnyPointer, capnp::AnyPointer> newCall(
      std::uint64_t interface_id, std::uint16_t method, kj::Maybe<capnp::MessageSize> size_hint) override;
  VoidPromiseAndPipeline call(std::uint64_t interface_id, std::uint16_t method,
                              kj::Own<capnp::CallContextHook>&& context) override;
  kj::Maybe<capnp::ClientHook&> getResolved() override { return nullptr; }
  kj::Maybe<kj::Promise<kj::Own<capnp::ClientHook>>> whenMoreResolved() override { return nullptr; }
  kj::Own<capnp::ClientHook> addRef() override { return kj::addRef(*this); }
  const void* getBrand() override;
  kj::Maybe<int> getFd() override { return nullptr; }

 private:
  kj::Own<DirectParty> party_;
  const DirectAim aim_;
};

}  // namespace holdfast::net
