#pragma once

#include <capnp/rpc.h>
#include <kj/async.h>

#include <optional>
#include <string>

#include "base/limits.h"
#include "net/direct_caller.h"
#include "net/direct_calls.h"
#include "net/message_stream.h"
#include "net/vat.h"

namespace holdfast::net {

struct RpcLimits {
  int nesting = limits::kMaxNesting;
  /// Frames beyond this are refused by the stream already; the reader's traversal limit follows from it.
  std::size_t max_frame_bytes = limits::kMaxClientFrameBytes;
  CallBounds calls;
};

/// Cap'n Proto RPC over one connection, for either side. Destroying it closes the connection; calls that wait
/// for an answer fail with DISCONNECTED, those being answered are cancelled.
class RpcConnection {
 public:
  /// The side that was called.
  RpcConnection(kj::Own<MessageStream> stream, Offer offer, RpcLimits limits = {});
  /// The side that calls.
  explicit RpcConnection(kj::Own<MessageStream> stream, RpcLimits limits = {});
  ~RpcConnection() noexcept(false);
  RpcConnection(const RpcConnection&) = delete;
  RpcConnection& operator=(const RpcConnection&) = delete;

  /// What the peer offers. May be called before the peer has answered anything.
  capnp::Capability::Client bootstrap();
  /// Calls services of the peer's without the RPC system. Requires: the side that calls.
  DirectCaller& direct_caller();
  /// Done when the connection is over, for whatever reason. The owner then destroys this from a later event
  /// (a kj::TaskSet, an evalLater), not inside the promise itself.
  kj::Promise<void> on_disconnect();

  /// "host:port" of the peer.
  const std::string& remote_address() const { return remote_address_; }
  const Endpoint& remote() const { return stream_->remote(); }
  const Endpoint& local() const { return stream_->local(); }
  /// Bytes that wait to be taken by the peer: what a service may look at before it makes a large answer.
  std::size_t queued_bytes() const { return stream_->queued_bytes(); }
  /// Calls of the peer's that are not answered, as far as they go past the RPC system.
  std::size_t unanswered_calls() const { return direct_calls_ ? direct_calls_->unanswered() : 0; }

 private:
  RpcConnection(kj::Own<MessageStream> stream, Vat::Side side, kj::Maybe<Offer> offer,
                const RpcLimits& limits);

  // In the order in which they lean on each other: destroyed from the last.
  std::string remote_address_;
  kj::Own<MessageStream> stream_;
  std::optional<DirectCalls> direct_calls_;
  kj::Maybe<kj::Own<DirectCaller>> direct_caller_;  // once it is asked for
  Vat vat_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system_;
  kj::Maybe<capnp::Capability::Client> read_for_;  // the direct caller
  kj::Promise<void> over_ = nullptr;               // tells the direct caller
};

}  // namespace holdfast::net
