#pragma once

#include <capnp/capability.h>
#include <capnp/rpc.capnp.h>
#include <capnp/rpc.h>
#include <kj/refcount.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "net/message_stream.h"

namespace holdfast::net {

/// The other side of DirectCalls: calls services of the peer's bootstrap capability without the RPC system,
/// for whoever makes so many plain calls that its tables and promises count. The capabilities that it gives
/// out are called like any other; what they are not told is plain goes by the RPC system's capability.
///
/// It asks for the services under question numbers of its own, above all that the RPC system uses, and never
/// finishes those questions: every call is aimed at what they return, and need not wait until it is known.
/// Thread: the loop's. Ref: rpc.capnp, levels 0 and 1.
class DirectCaller final : public MessageStream::Filter, public kj::Refcounted {
 public:
  /// Until disconnect() the stream must live.
  explicit DirectCaller(MessageStream& stream) : stream_(&stream) {}
  ~DirectCaller() noexcept(false);
  KJ_DISALLOW_COPY(DirectCaller);

  struct Place {
    std::uint64_t bootstrap_interface;
    std::uint16_t method;  ///< of the bootstrap, that returns the service
  };
  /// The service. Calls of its `except` method, which takes or returns capabilities, are made by `indirect`.
  capnp::Capability::Client service(Place place, std::uint16_t except, capnp::Capability::Client indirect);
  /// Calls that wait fail, and all later ones.
  void disconnect();

  bool take(kj::Own<capnp::IncomingRpcMessage>& message) override;
  bool is_full() const override { return false; }
  void made_progress() override {}

 private:
  class Client;
  class Request;
  class Response;
  class Waiting;
  using QuestionId = std::uint32_t;

  static constexpr QuestionId kFirstQuestion = 1U << 31;

  /// Returns: the question that the service is the result of.
  QuestionId ask_for(Place place);
  QuestionId next_question();
  void send(capnp::MessageBuilder& message);
  void send_finish(QuestionId question);

  MessageStream* stream_;  // null once disconnected
  QuestionId last_question_ = kFirstQuestion;
  bool has_bootstrap_ = false;
  std::map<std::uint16_t, QuestionId> services_;  // by the bootstrap's method
  std::unordered_map<QuestionId, Waiting*> waiting_;
};

}  // namespace holdfast::net
