#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>

#include "net/direct_calls.h"
#include "net/message_stream.h"

namespace holdfast::net {

/// One of the two parties of a connection, as capnp::RpcSystem wants it. The library's own TwoPartyVatNetwork
/// makes a chain of promises of its writes, and some twenty allocations for each message; here the stream is
/// the queue, and a message goes into it as it is sent.
class Vat final : public capnp::TwoPartyVatNetworkBase {
 public:
  using Side = capnp::rpc::twoparty::Side;

  /// `direct_calls`, if any, is told of all that is sent.
  Vat(MessageStream& stream, Side side, capnp::ReaderOptions options, kj::Maybe<DirectCalls&> direct_calls);
  ~Vat() noexcept(false);
  KJ_DISALLOW_COPY(Vat);

  Side side() const { return side_; }
  /// Done when the RPC system has given the connection up, for whatever reason.
  kj::Promise<void> on_disconnect() { return disconnected_.addBranch(); }

  kj::Maybe<kj::Own<Connection>> connect(capnp::rpc::twoparty::VatId::Reader peer) override;
  kj::Promise<kj::Own<Connection>> accept() override;

 private:
  class Link;
  kj::Own<Connection> link();

  MessageStream& stream_;
  const Side side_;
  const capnp::ReaderOptions options_;
  kj::Maybe<DirectCalls&> direct_calls_;
  capnp::MallocMessageBuilder peer_id_;

  kj::Maybe<Link&> link_;  // while the RPC system has it
  bool accepted_ = false;
  kj::PromiseFulfillerPair<void> disconnect_ = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> disconnected_ = disconnect_.promise.fork();
};

}  // namespace holdfast::net
