#pragma once

#include <capnp/capability.h>

#include <cstdint>
#include <map>

#include "net/direct_answers.h"
#include "net/direct_party.h"

namespace holdfast::net {

/// The other side of DirectCalls: calls services of the peer's bootstrap capability without the RPC system,
/// for whoever makes so many calls that its tables and promises count. The capabilities that it gives out are
/// called like any other, but what their calls return cannot be called before it has come. Capabilities may
/// go with a call, best such as host() makes; how the peer calls them stays past the RPC system too.
///
/// It asks for the services under question numbers of its own and never finishes those questions: every call
/// is aimed at what they return, and need not wait until it is known.
/// Thread: the loop's. Ref: rpc.capnp, levels 0 and 1.
class DirectCaller final : public MessageStream::Filter {
 public:
  /// Until disconnect() the stream must live.
  explicit DirectCaller(MessageStream& stream);
  ~DirectCaller() noexcept(false);
  KJ_DISALLOW_COPY(DirectCaller);

  struct Place {
    std::uint64_t bootstrap_interface;
    std::uint16_t method;  ///< of the bootstrap, that returns the service
  };
  capnp::Capability::Client service(Place place);
  /// Calls that wait fail, and all later ones.
  void disconnect();

  bool glance(protocol::Message::Reader message) override { return answers_.glance(message); }
  /// What is told comes as calls of any size, and is over when it was looked at.
  bool is_glanced_at(std::size_t) const override { return true; }
  bool take(kj::Own<capnp::IncomingRpcMessage>& message) override;
  bool is_full() const override { return false; }
  void made_progress() override { party_->made_progress(); }

 private:
  /// Of what the questions for services return nothing is looked at.
  struct Nobody final : DirectParty::Asker {
    void returned(DirectParty::Message&, protocol::Return::Reader) override {}
    void disconnected() override {}
  };

  /// Returns: the question that the service is the result of.
  DirectNumber ask_for(Place place);

  Nobody nobody_;
  bool has_bootstrap_ = false;
  std::map<std::uint16_t, DirectNumber> services_;  // by the bootstrap's method
  kj::Own<DirectParty> party_;
  DirectAnswers answers_;
};

}  // namespace holdfast::net
