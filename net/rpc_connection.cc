#include "net/rpc_connection.h"

#include <utility>

namespace holdfast::net {
namespace {

capnp::ReaderOptions reader_options(const RpcLimits& limits) {
  capnp::ReaderOptions options;
  options.nestingLimit = limits.nesting;
  // Repeated reads of the same bytes count too, and a sender refuses its own message above the limit.
  options.traversalLimitInWords = 4 * limits.max_frame_bytes / sizeof(capnp::word);
  return options;
}

std::optional<DirectCalls> direct_calls(MessageStream& stream, kj::Maybe<Offer>& offer,
                                        const RpcLimits& limits) {
  KJ_IF_MAYBE (given, offer) {
    KJ_IF_MAYBE (services, given->services) {
      return std::optional<DirectCalls>(std::in_place, stream, kj::mv(*services), limits.calls);
    }
  }
  return std::nullopt;
}

kj::Maybe<capnp::Capability::Client> bootstrap_of(kj::Maybe<Offer>& offer) {
  return offer.map([](Offer& given) { return given.bootstrap; });
}

}  // namespace

RpcConnection::RpcConnection(kj::Own<MessageStream> stream, Vat::Side side, kj::Maybe<Offer> offer,
                             const RpcLimits& limits)
    : remote_address_(stream->remote().to_string()),
      stream_(kj::mv(stream)),
      direct_calls_(direct_calls(*stream_, offer, limits)),
      vat_(*stream_, side, reader_options(limits),
           direct_calls_ ? kj::Maybe<DirectCalls&>(*direct_calls_) : nullptr),
      system_(vat_, bootstrap_of(offer)) {}

RpcConnection::RpcConnection(kj::Own<MessageStream> stream, Offer offer, RpcLimits limits)
    : RpcConnection(kj::mv(stream), Vat::Side::SERVER, kj::Maybe<Offer>(kj::mv(offer)), limits) {
  // The side that asks is the one that always reads: its own bounds keep what it asks for in check. Were it
  // to stop reading as well, both could wait for each other for ever.
  stream_->throttle_reads();
  if (direct_calls_) stream_->set_filter(*direct_calls_);
  system_.setFlowLimit(limits.calls.unanswered_bytes / sizeof(capnp::word));
}

RpcConnection::RpcConnection(kj::Own<MessageStream> stream, RpcLimits limits)
    : RpcConnection(kj::mv(stream), Vat::Side::CLIENT, nullptr, limits) {}

RpcConnection::~RpcConnection() noexcept(false) {
  KJ_IF_MAYBE (caller, direct_caller_) {
    (*caller)->disconnect();
  }
}

capnp::Capability::Client RpcConnection::bootstrap() {
  capnp::MallocMessageBuilder message(8);
  auto peer = message.initRoot<capnp::rpc::twoparty::VatId>();
  peer.setSide(vat_.side() == Vat::Side::CLIENT ? Vat::Side::SERVER : Vat::Side::CLIENT);
  return system_.bootstrap(peer);
}

DirectCaller& RpcConnection::direct_caller() {
  KJ_IF_MAYBE (existing, direct_caller_) {
    return **existing;
  }
  KJ_REQUIRE(vat_.side() == Vat::Side::CLIENT);
  // Nobody reads a connection of which the RPC system has not been asked for anything.
  read_for_ = bootstrap();
  auto made = kj::heap<DirectCaller>(*stream_);
  DirectCaller& caller = *made;
  direct_caller_ = kj::mv(made);
  stream_->set_filter(caller);
  over_ = on_disconnect().then([&caller] { caller.disconnect(); }).eagerlyEvaluate(nullptr);
  return caller;
}

kj::Promise<void> RpcConnection::on_disconnect() { return vat_.on_disconnect(); }

}  // namespace holdfast::net
