#pragma once

#include <capnp/capability.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "net/direct_answers.h"
#include "net/direct_party.h"

namespace holdfast::net {

/// What a bootstrap capability gives out: services, each by a method of its own that takes nothing and
/// returns that one capability.
class Services {
 public:
  using Service = kj::Own<capnp::Capability::Server>;

  virtual ~Services() noexcept(false) = default;
  virtual std::uint64_t bootstrap_interface() const = 0;
  /// The service that the bootstrap's method returns; none for a method that returns something else.
  virtual kj::Maybe<Service> service(std::uint16_t method) = 0;
  /// Calls the method. It may take `call` to answer it, and does so for what may be a large answer: reading
  /// heeds what is answered so. If it does not, the promise is what counts.
  virtual kj::Promise<void> dispatch(capnp::Capability::Server& service, std::uint64_t interface_id,
                                     std::uint16_t method, capnp::CallContextHook& context,
                                     DirectCall& call) = 0;
};

/// What a connection offers to the other side. Without services all calls go through the RPC system.
struct Offer {
  Offer(capnp::Capability::Client bootstrap_in,  // NOLINT: a capability is an offer
        kj::Maybe<kj::Own<Services>> services_in = nullptr)
      : bootstrap(kj::mv(bootstrap_in)), services(kj::mv(services_in)) {}

  capnp::Capability::Client bootstrap;
  kj::Maybe<kj::Own<Services>> services;
};

/// Calls on a connection's own services, and on what these gave. They go from the stream to the service and
/// back without the RPC system, whose tables, pipelines and chains of promises were a third of what a write
/// cost. All else is the RPC system's: the bootstrap, its methods, and calls that bring other capabilities
/// than such as the peer hosts. Which capability is which service is learned from what passes by: calls of
/// the bootstrap's methods on the way in, their returns on the way out.
///
/// A call that the RPC system has may be overtaken by a later one that it has not.
/// Thread: the loop's. Ref: rpc.capnp, levels 0 and 1.
class DirectCalls final : public MessageStream::Filter {
 public:
  DirectCalls(MessageStream& stream, kj::Own<Services> services, const CallBounds& bounds);
  ~DirectCalls() noexcept(false);
  KJ_DISALLOW_COPY(DirectCalls);

  bool glance(protocol::Message::Reader message) override { return answers_.glance(message); }
  /// A call is to be taken; shorter is what tells that something is over.
  bool is_glanced_at(std::size_t words) const override { return words <= kMostWordsOfAnEnd; }
  bool take(kj::Own<capnp::IncomingRpcMessage>& message) override;
  bool is_full() const override { return answers_.is_full(); }
  std::size_t unanswered() const { return answers_.unanswered(); }
  void made_progress() override { party_->made_progress(); }
  /// The connection is over: cancels all that is not answered, and lets go of what was given.
  void cancel();
  /// The RPC system sends this.
  void watch_outgoing(protocol::Message::Reader message);

 private:
  static constexpr std::size_t kMostWordsOfAnEnd = 12;

  /// The bootstrap capability, or the service that one of its methods returns.
  using Target = std::optional<std::uint16_t>;

  struct Question {
    Target returns;
    std::optional<DirectNumber> returned;
  };
  struct Export {
    Target target;
    std::uint32_t references = 0;
  };

  bool take_call(kj::Own<capnp::IncomingRpcMessage>& message, protocol::Call::Reader call);
  bool take_finish(protocol::Finish::Reader finish);
  /// Returns: nullptr if it is none of those that are known.
  const Target* find(protocol::MessageTarget::Reader target) const;
  void release(DirectNumber id, std::uint32_t references);
  capnp::Capability::Server* service(std::uint16_t method);

  kj::Own<Services> offered_;
  std::map<DirectNumber, Question> questions_;  // of the RPC system, that return a known capability
  std::map<DirectNumber, Export> exports_;      // of the RPC system, that are known
  std::map<std::uint16_t, Services::Service> services_;
  kj::Own<DirectParty> party_;
  DirectAnswers answers_;  // last: what they hold of a service goes first
};

}  // namespace holdfast::net
