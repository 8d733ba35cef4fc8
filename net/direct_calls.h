#pragma once

#include <capnp/capability.h>
#include <capnp/rpc.capnp.h>
#include <capnp/rpc.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "net/direct_call.h"
#include "net/message_stream.h"

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
  /// Is it certain that this method of a service neither takes nor returns a capability?
  virtual bool is_plain(std::uint64_t interface_id, std::uint16_t method) const = 0;
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

/// What a connection's calls may come to.
struct CallBounds {
  /// Beyond these nothing more is read until calls were answered.
  std::size_t unanswered_bytes = limits::kMaxConnectionCallBytes;
  std::size_t unanswered = 100'000;
  /// A caller finishes its calls as it reads their returns; the connection of one that never does is closed.
  std::size_t unfinished = 1'000'000;
};

/// Calls on a connection's own services that carry no capability: plain data in, plain data out. They go from
/// the stream to the service and back without the RPC system, whose tables, pipelines and chains of promises
/// were a third of what a write cost. All else is the RPC system's, and which capability is which service is
/// learned from what passes by: calls of the bootstrap's methods on the way in, their returns on the way out.
///
///     called --answered--> returned (only its number is kept) --finish--> forgotten
///       \------finish (cancels it)----------------/
///
/// A call that the RPC system has may be overtaken by a later one that it has not: only calls with
/// capabilities, none of which must be in order with others.
/// Thread: the loop's. Ref: rpc.capnp, levels 0 and 1.
class DirectCalls final : public MessageStream::Filter {
 public:
  DirectCalls(MessageStream& stream, kj::Own<Services> services, const CallBounds& bounds);
  ~DirectCalls() noexcept(false);
  KJ_DISALLOW_COPY(DirectCalls);

  bool take(kj::Own<capnp::IncomingRpcMessage>& message) override;
  bool is_full() const override {
    return unanswered_bytes_ > bounds_.unanswered_bytes || unanswered_ > bounds_.unanswered;
  }
  void made_progress() override;
  /// The connection is over: cancels all that is not answered.
  void cancel();
  /// The RPC system sends this.
  void watch_outgoing(capnp::rpc::Message::Reader message);

 private:
  class Call;
  using QuestionId = std::uint32_t;
  using ExportId = std::uint32_t;
  /// The bootstrap capability, or the service that one of its methods returns.
  using Target = std::optional<std::uint16_t>;

  struct Question {
    Target returns;
    std::optional<ExportId> returned;
  };
  struct Export {
    Target target;
    std::uint32_t references = 0;
  };

  bool take_call(kj::Own<capnp::IncomingRpcMessage>& message, capnp::rpc::Call::Reader call);
  bool take_finish(capnp::rpc::Finish::Reader finish);
  /// Returns: nullptr if it is none of those that are known.
  const Target* find(capnp::rpc::MessageTarget::Reader target) const;
  void release(ExportId id, std::uint32_t references);
  capnp::Capability::Server* service(std::uint16_t method);
  void answered(QuestionId question, std::size_t bytes);

  MessageStream& stream_;
  kj::Own<Services> offered_;
  const CallBounds bounds_;
  std::size_t unanswered_ = 0;
  std::size_t unanswered_bytes_ = 0;
  std::map<QuestionId, Question> questions_;  // of the RPC system, that return a known capability
  std::map<ExportId, Export> exports_;
  std::map<std::uint16_t, Services::Service> services_;
  std::deque<QuestionId> waiting_for_room_;
  // Last: what they hold of a service goes first.
  std::vector<kj::Own<Call>> returned_;  // just now, so perhaps still on the stack
  std::unordered_map<QuestionId, kj::Own<Call>>
      calls_;  // null: only the number, until the caller finishes it
};

}  // namespace holdfast::net
