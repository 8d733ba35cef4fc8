#include "net/message_stream.h"

#include <capnp/serialize.h>

#include <list>
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

using ReadResult = kj::Maybe<capnp::MessageReaderAndFds>;

}  // namespace

/// Promises that wait are adapters that sit in the stream's lists; whichever of the two goes first takes
/// itself out.
class MessageStream::Impl {
 public:
  class Read;
  class Progress;

  Impl(Socket socket, const FramedStreamOptions& options) : stream(std::move(socket), options) {
    stream.on_progress([this] { made_progress(); });
  }
  ~Impl();

  kj::Maybe<kj::Promise<ReadResult>> read_now(capnp::ReaderOptions options);
  void read_on();
  kj::Promise<void> when_within_bound();
  kj::Promise<void> when_end_sent();

  FramedStream stream;
  kj::Maybe<Read&> reader;
  std::list<Progress*> waiting;
  bool throttled = false;  // by throttle_reads()
  std::function<std::size_t()> backlog = [] { return std::size_t{0}; };
  std::size_t max_queue_bytes = 0;

 private:
  bool may_read() const { return !throttled || stream.queued_bytes() + backlog() <= max_queue_bytes; }
  void made_progress();
  kj::Maybe<ReadResult> take(capnp::ReaderOptions options);
};

/// The one read that waits.
class MessageStream::Impl::Read {
 public:
  Read(kj::PromiseFulfiller<ReadResult>& fulfiller, Impl& impl, capnp::ReaderOptions read_options)
      : options(read_options), fulfiller_(fulfiller), impl_(&impl) {
    KJ_REQUIRE(impl.reader == nullptr, "one message is read at a time");
    impl.reader = *this;
  }
  ~Read() { leave(); }
  KJ_DISALLOW_COPY(Read);

  const capnp::ReaderOptions options;

  void fulfill(ReadResult&& result) {
    leave();
    fulfiller_.fulfill(kj::mv(result));
  }
  void reject(kj::Exception&& exception) {
    leave();
    fulfiller_.reject(kj::mv(exception));
  }

 private:
  void leave() {
    if (impl_ != nullptr) {
      impl_->reader = nullptr;
      impl_ = nullptr;
    }
  }

  kj::PromiseFulfiller<ReadResult>& fulfiller_;
  Impl* impl_;
};

/// Something that waits until the queue has gone down far enough.
class MessageStream::Impl::Progress {
 public:
  Progress(kj::PromiseFulfiller<void>& fulfiller, Impl& impl, bool for_end)
      : fulfiller_(fulfiller), impl_(&impl), for_end_(for_end) {
    impl.waiting.push_back(this);
  }
  ~Progress() { leave(); }
  KJ_DISALLOW_COPY(Progress);

  bool is_done() const { return for_end_ ? impl_->stream.end_sent() : !impl_->stream.over_bound(); }
  void fulfill() {
    leave();
    fulfiller_.fulfill();
  }
  void reject(kj::Exception&& exception) {
    leave();
    fulfiller_.reject(kj::mv(exception));
  }

 private:
  void leave() {
    if (impl_ != nullptr) {
      impl_->waiting.remove(this);
      impl_ = nullptr;
    }
  }

  kj::PromiseFulfiller<void>& fulfiller_;
  Impl* impl_;
  const bool for_end_;
};

MessageStream::Impl::~Impl() {
  const Error closed{Errc::kUnavailable, "the connection was closed on this side"};
  KJ_IF_MAYBE (read, reader) {
    read->reject(to_exception(closed));
  }
  while (!waiting.empty()) {
    waiting.front()->reject(to_exception(closed));
  }
}

kj::Maybe<ReadResult> MessageStream::Impl::take(capnp::ReaderOptions options) {
  auto frame = stream.take();
  if (!frame) {
    kj::throwFatalException(to_exception(frame.error()));
  }
  if (*frame) {
    auto words = kj::mv(**frame);
    auto message = kj::heap<capnp::FlatArrayMessageReader>(words.asPtr(), options);
    return ReadResult(capnp::MessageReaderAndFds{message.attach(kj::mv(words)), nullptr});
  }
  if (stream.ended()) {
    return ReadResult(nullptr);
  }
  return nullptr;
}

kj::Maybe<kj::Promise<ReadResult>> MessageStream::Impl::read_now(capnp::ReaderOptions options) {
  if (!may_read()) {
    return nullptr;
  }
  kj::Maybe<ReadResult> result = take(options);
  KJ_IF_MAYBE (ready, result) {
    return kj::Promise<ReadResult>(kj::mv(*ready));
  }
  return nullptr;
}

void MessageStream::Impl::read_on() {
  KJ_IF_MAYBE (read, reader) {
    if (!may_read() && !stream.failure()) {
      return;  // made_progress() comes back here
    }
    kj::Maybe<ReadResult> result;
    kj::Maybe<kj::Exception> exception = kj::runCatchingExceptions([&] { result = take(read->options); });
    KJ_IF_MAYBE (failure, exception) {
      return read->reject(kj::mv(*failure));
    }
    KJ_IF_MAYBE (ready, result) {
      return read->fulfill(kj::mv(*ready));
    }
    stream.when_readable([this] { read_on(); });
  }
}

void MessageStream::Impl::made_progress() {
  const auto all = waiting;
  for (Progress* one : all) {
    if (stream.failure()) {
      one->reject(gone(*stream.failure()));
    } else if (one->is_done()) {
      one->fulfill();
    }
  }
  if (!throttled && !stream.failure()) {
    return;
  }
  read_on();
  // A writer that was told to go on takes its bytes off the backlog only when KJ gets its turn: look again
  // behind it, for the stream itself may have nothing more to report.
  if (reader != nullptr && !may_read() && !stream.over_bound()) {
    stream.progress_at_end_of_turn();
  }
}

kj::Promise<void> MessageStream::Impl::when_within_bound() {
  if (stream.failure()) {
    return gone(*stream.failure());
  }
  if (!stream.over_bound()) {
    return kj::READY_NOW;
  }
  return kj::newAdaptedPromise<void, Progress>(*this, false);
}

kj::Promise<void> MessageStream::Impl::when_end_sent() {
  if (stream.failure()) {
    return gone(*stream.failure());
  }
  if (stream.end_sent()) {
    return kj::READY_NOW;
  }
  return kj::newAdaptedPromise<void, Progress>(*this, true);
}

MessageStream::MessageStream(Socket socket, FramedStreamOptions options)
    : impl_(std::make_unique<Impl>(std::move(socket), options)) {
  impl_->max_queue_bytes = options.max_queue_bytes;
}

MessageStream::~MessageStream() noexcept(false) {}

const Endpoint& MessageStream::local() const { return impl_->stream.local(); }
const Endpoint& MessageStream::remote() const { return impl_->stream.remote(); }
std::size_t MessageStream::queued_bytes() const { return impl_->stream.queued_bytes(); }

void MessageStream::throttle_reads(std::function<std::size_t()> backlog) {
  impl_->throttled = true;
  impl_->backlog = std::move(backlog);
}

kj::Promise<ReadResult> MessageStream::tryReadMessage(kj::ArrayPtr<kj::AutoCloseFd>,
                                                      capnp::ReaderOptions options,
                                                      kj::ArrayPtr<capnp::word>) {
  return kj::evalNow([&]() -> kj::Promise<ReadResult> {
    KJ_IF_MAYBE (ready, impl_->read_now(options)) {
      return kj::mv(*ready);
    }
    auto promise = kj::newAdaptedPromise<ReadResult, Impl::Read>(*impl_, options);
    impl_->read_on();
    return promise;
  });
}

kj::Promise<void> MessageStream::writeMessage(kj::ArrayPtr<const int> fds,
                                              kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  KJ_REQUIRE(fds.size() == 0, "no descriptors travel over TCP");
  if (auto sent = impl_->stream.send(segments); !sent) {
    return to_exception(sent.error());
  }
  return impl_->when_within_bound();
}

kj::Promise<void> MessageStream::writeMessages(
    kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) {
  for (const auto& segments : messages) {
    if (auto sent = impl_->stream.send(segments); !sent) {
      return to_exception(sent.error());
    }
  }
  return impl_->when_within_bound();
}

kj::Maybe<int> MessageStream::getSendBufferSize() {
  const std::size_t bytes = impl_->stream.send_buffer_bytes();
  return bytes > 0 ? kj::Maybe<int>(static_cast<int>(bytes)) : nullptr;
}

kj::Promise<void> MessageStream::end() {
  impl_->stream.end();
  return impl_->when_end_sent();
}

}  // namespace holdfast::net
