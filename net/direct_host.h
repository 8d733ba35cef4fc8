#pragma once

#include <capnp/capability.h>

#include <concepts>
#include <cstdint>

namespace holdfast::net {

/// What a server may be besides: one that answers some of its calls before it returns, without a promise.
class Prompt {
 public:
  /// Carries the call out; its results are empty. Throws what the caller is to catch. Returns: false, and has
  /// done nothing, if the call is to take its usual way.
  virtual bool answer(std::uint64_t interface_id, std::uint16_t method, capnp::AnyPointer::Reader params) = 0;

 protected:
  ~Prompt() = default;
};

/// Null if a capability is not one of host()'s, or not prompt.
struct Hosted {
  capnp::Capability::Server* server = nullptr;
  Prompt* prompt = nullptr;
};

/// A capability of this process that is `hosted`, which `server` owns. Given to a peer by a call past the RPC
/// system, its calls come to the server straight from the stream, inside the reading of it.
capnp::Capability::Client host(kj::Own<capnp::Capability::Server> server, Hosted hosted);
Hosted hosted(capnp::ClientHook& capability);

template <typename Server>
typename Server::Serves::Client host(kj::Own<Server> server) {
  Hosted itself{server.get()};
  if constexpr (std::derived_from<Server, Prompt>) itself.prompt = server.get();
  return host(kj::Own<capnp::Capability::Server>(kj::mv(server)), itself)
      .template castAs<typename Server::Serves>();
}

}  // namespace holdfast::net
