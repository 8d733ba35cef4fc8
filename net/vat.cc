#include "net/vat.h"

#include <kj/refcount.h>

#include <utility>

#include "base/result.h"

namespace holdfast::net {
namespace {

class Outgoing final : public capnp::OutgoingRpcMessage {
 public:
  Outgoing(MessageStream& stream, kj::Maybe<DirectCalls&> direct_calls, unsigned first_segment_words)
      : stream_(stream),
        direct_calls_(direct_calls),
        builder_(first_segment_words > 0 ? first_segment_words : capnp::SUGGESTED_FIRST_SEGMENT_WORDS) {}

  capnp::AnyPointer::Builder getBody() override { return builder_.getRoot<capnp::AnyPointer>(); }
  void send() override {
    KJ_IF_MAYBE (direct_calls, direct_calls_) {
      direct_calls->watch_outgoing(builder_.getRoot<capnp::rpc::Message>().asReader());
    }
    const Result<void> sent = stream_.send(builder_.getSegmentsForOutput());
    if (!sent) KJ_FAIL_REQUIRE("a message is not sent", sent.error().message.c_str());
  }
  std::size_t sizeInWords() override { return builder_.sizeInWords(); }

 private:
  MessageStream& stream_;  // not used once the connection was given up
  kj::Maybe<DirectCalls&> direct_calls_;
  capnp::MallocMessageBuilder builder_;
};

}  // namespace

/// The connection, from when the RPC system takes it until it drops it.
class Vat::Link final : public capnp::TwoPartyVatNetworkBase::Connection, public kj::Refcounted {
 public:
  explicit Link(Vat& vat) : vat_(vat) { vat.link_ = *this; }
  ~Link() noexcept(false) {
    vat_.link_ = nullptr;
    KJ_IF_MAYBE (direct_calls, vat_.direct_calls_) {
      direct_calls->cancel();
    }
    vat_.disconnect_.fulfiller->fulfill();
  }

  capnp::rpc::twoparty::VatId::Reader getPeerVatId() override {
    return vat_.peer_id_.getRoot<capnp::rpc::twoparty::VatId>().asReader();
  }
  kj::Own<capnp::OutgoingRpcMessage> newOutgoingMessage(unsigned first_segment_words) override {
    return kj::heap<Outgoing>(vat_.stream_, vat_.direct_calls_, first_segment_words);
  }
  kj::Promise<MessageStream::Received> receiveIncomingMessage() override {
    return vat_.stream_.receive(vat_.options_);
  }
  kj::Promise<void> shutdown() override { return vat_.stream_.end(); }

 private:
  Vat& vat_;
};

Vat::Vat(MessageStream& stream, Side side, capnp::ReaderOptions options, kj::Maybe<DirectCalls&> direct_calls)
    : stream_(stream), side_(side), options_(options), direct_calls_(direct_calls), peer_id_(4) {
  peer_id_.initRoot<capnp::rpc::twoparty::VatId>().setSide(side == Side::CLIENT ? Side::SERVER
                                                                                : Side::CLIENT);
}

Vat::~Vat() noexcept(false) {}

kj::Own<Vat::Connection> Vat::link() {
  KJ_IF_MAYBE (existing, link_) {
    return kj::addRef(*existing);
  }
  return kj::refcounted<Link>(*this);
}

kj::Maybe<kj::Own<Vat::Connection>> Vat::connect(capnp::rpc::twoparty::VatId::Reader peer) {
  if (peer.getSide() == side_) return nullptr;
  return link();
}

/// There is one connection, and who calls has it by connect().
kj::Promise<kj::Own<Vat::Connection>> Vat::accept() {
  if (side_ == Side::CLIENT || std::exchange(accepted_, true)) return kj::NEVER_DONE;
  return link();
}

}  // namespace holdfast::net
