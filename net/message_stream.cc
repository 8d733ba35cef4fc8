#include "net/message_stream.h"

#include <capnp/any.h>
#include <capnp/serialize.h>

#include <utility>

namespace holdfast::net {
namespace {

kj::Exception to_exception(const Error& error) {
  const auto type =
      error.code == Errc::kUnavailable ? kj::Exception::Type::DISCONNECTED : kj::Exception::Type::FAILED;
  return kj::Exception(type, __FILE__, __LINE__, kj::heapString(error.message.data(), error.message.size()));
}

/// What a writer hears: that its message was refused, or that the connection is gone, whatever ended it.
kj::Exception gone(const Error& failure) { return to_exception(Error{Errc::kUnavailable, failure.message}); }

using Received = MessageStream::Received;

/// A frame as it came, and the library's view of it.
class Incoming final : public capnp::IncomingRpcMessage {
 public:
  Incoming(FramedStream::Frame words, capnp::ReaderOptions options)
      : words_(kj::mv(words)), reader_(words_, options) {}

  capnp::AnyPointer::Reader getBody() override { return reader_.getRoot<capnp::AnyPointer>(); }
  std::size_t sizeInWords() override { return words_.size(); }

 private:
  FramedStream::Frame words_;
  capnp::FlatArrayMessageReader reader_;
};

}  // namespace

/// Promises that wait are adapters that the stream knows; whichever of the two goes first takes itself out.
class MessageStream::Impl {
 public:
  Impl(Socket socket, const FramedStreamOptions& options)
      : stream(std::move(socket), options), max_queue_bytes_(options.max_queue_bytes) {
    stream.on_progress([this] { made_progress(); });
  }
  ~Impl();

  kj::Promise<Received> receive(capnp::ReaderOptions options);
  kj::Promise<void> end();

  FramedStream stream;
  bool throttled = false;                   // by throttle_reads()
  MessageStream::Filter* filter = nullptr;  // by set_filter()
  void read_again();

 private:
  template <typename T>
  class Waiting;

  bool may_read() const {
    if (filter && filter->is_full()) return false;
    return !throttled || stream.queued_bytes() <= max_queue_bytes_;
  }
  void read_on();
  void made_progress();
  kj::Maybe<Received> take(capnp::ReaderOptions options);
  bool glance(capnp::ReaderOptions options);

  const std::size_t max_queue_bytes_;
  capnp::ReaderOptions options_;  // of the read that waits
  kj::Maybe<Waiting<Received>&> reader_;
  kj::Maybe<Waiting<void>&> ender_;
};

/// The one read, or the one end, that waits.
template <typename T>
class MessageStream::Impl::Waiting {
 public:
  Waiting(kj::PromiseFulfiller<T>& fulfiller, kj::Maybe<Waiting&>& place)
      : fulfiller_(fulfiller), place_(&place) {
    KJ_REQUIRE(place == nullptr, "one at a time");
    place = *this;
  }
  ~Waiting() { leave(); }
  KJ_DISALLOW_COPY(Waiting);

  kj::PromiseFulfiller<T>& leave() {
    if (place_ != nullptr) *std::exchange(place_, nullptr) = nullptr;
    return fulfiller_;
  }

 private:
  kj::PromiseFulfiller<T>& fulfiller_;
  kj::Maybe<Waiting&>* place_;
};

MessageStream::Impl::~Impl() {
  const Error closed{Errc::kUnavailable, "the connection was closed on this side"};
  KJ_IF_MAYBE (read, reader_) {
    read->leave().reject(to_exception(closed));
  }
  KJ_IF_MAYBE (end, ender_) {
    end->leave().reject(to_exception(closed));
  }
}

/// Most messages are short, and over when they have been looked at: these are read where they lie.
bool MessageStream::Impl::glance(capnp::ReaderOptions options) {
  const auto frame = stream.look();
  if (frame.size() == 0 || !filter->is_glanced_at(frame.size())) return false;
  capnp::FlatArrayMessageReader reader(frame, options);
  if (!filter->glance(reader.getRoot<capnp::rpc::Message>())) return false;
  stream.pass(frame);
  return true;
}

/// Returns: nothing, if there is nothing yet for whoever receives.
kj::Maybe<Received> MessageStream::Impl::take(capnp::ReaderOptions options) {
  do {
    if (filter && glance(options)) continue;
    auto frame = stream.take();
    if (!frame) {
      kj::throwFatalException(to_exception(frame.error()));
    }
    if (!*frame) {
      return stream.ended() ? kj::Maybe<Received>(Received(nullptr)) : nullptr;
    }
    kj::Own<capnp::IncomingRpcMessage> message = kj::heap<Incoming>(kj::mv(**frame), options);
    if (!filter || !filter->take(message)) {
      return Received(kj::mv(message));
    }
  } while (may_read());
  return nullptr;
}

kj::Promise<Received> MessageStream::Impl::receive(capnp::ReaderOptions options) {
  if (may_read()) {
    kj::Maybe<Received> now = take(options);
    KJ_IF_MAYBE (ready, now) {
      return kj::mv(*ready);
    }
  }
  options_ = options;
  auto promise = kj::newAdaptedPromise<Received, Waiting<Received>>(reader_);
  read_on();
  return promise;
}

void MessageStream::Impl::read_on() {
  KJ_IF_MAYBE (read, reader_) {
    if (!may_read() && !stream.failure()) {
      return;  // made_progress() comes back here
    }
    kj::Maybe<Received> result;
    kj::Maybe<kj::Exception> exception = kj::runCatchingExceptions([&] { result = take(options_); });
    KJ_IF_MAYBE (failure, exception) {
      return read->leave().reject(kj::mv(*failure));
    }
    KJ_IF_MAYBE (ready, result) {
      return read->leave().fulfill(kj::mv(*ready));
    }
    if (may_read()) {
      stream.when_readable([this] { read_on(); });
    }
  }
}

void MessageStream::Impl::read_again() {
  stream.when_readable([this] { read_on(); });
}

void MessageStream::Impl::made_progress() {
  KJ_IF_MAYBE (end, ender_) {
    if (stream.failure()) {
      end->leave().reject(gone(*stream.failure()));
    } else if (stream.end_sent()) {
      end->leave().fulfill();
    }
  }
  // A lost connection has room for everything, and nobody reads it: what waits for room is cancelled with it.
  if (filter && !stream.failure()) {
    filter->made_progress();
  }
  if (throttled || stream.failure()) {
    read_on();
  }
}

kj::Promise<void> MessageStream::Impl::end() {
  stream.end();
  if (stream.failure()) {
    return gone(*stream.failure());
  }
  if (stream.end_sent()) {
    return kj::READY_NOW;
  }
  return kj::newAdaptedPromise<void, Waiting<void>>(ender_);
}

MessageStream::MessageStream(Socket socket, FramedStreamOptions options)
    : impl_(std::make_unique<Impl>(std::move(socket), options)) {}

MessageStream::~MessageStream() noexcept(false) {}

const Endpoint& MessageStream::local() const { return impl_->stream.local(); }
const Endpoint& MessageStream::remote() const { return impl_->stream.remote(); }
std::size_t MessageStream::queued_bytes() const { return impl_->stream.queued_bytes(); }
bool MessageStream::over_bound() const { return impl_->stream.over_bound(); }
void MessageStream::throttle_reads() { impl_->throttled = true; }
void MessageStream::set_filter(Filter& filter) { impl_->filter = &filter; }
void MessageStream::read_again() { impl_->read_again(); }

kj::Promise<Received> MessageStream::receive(capnp::ReaderOptions options) {
  return kj::evalNow([&] { return impl_->receive(options); });
}
Result<void> MessageStream::send(Segments segments) { return impl_->stream.send(segments); }
void MessageStream::hasten() { impl_->stream.hasten(); }
kj::Promise<void> MessageStream::end() { return impl_->end(); }

}  // namespace holdfast::net
