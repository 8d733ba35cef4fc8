#include "net/framed_stream.h"

#include <asio/error.hpp>
#include <asio/post.hpp>
#include <string>
#include <utility>

#include "net/end_of_turn.h"
#include "net/frame_assembler.h"
#include "net/outgoing_queue.h"

namespace holdfast::net {

/// Everything that an operation in flight touches, so that the stream itself may go at any time.
class FramedStream::State : public std::enable_shared_from_this<State> {
 public:
  State(Socket socket, const FramedStreamOptions& options)
      : socket_(std::move(socket)),
        assembler_(options.max_frame_bytes),
        max_frame_bytes_(options.max_frame_bytes),
        patient_(options.patient),
        counters_(options.counters ? *options.counters : own_counters_),
        end_of_turn_(
            asio::use_service<EndOfTurn>(asio::query(socket_.get_executor(), asio::execution::context))) {}

  Result<std::optional<Frame>> take();
  bool ended() const { return peer_ended_ && !failure_ && !assembler_.inside_frame(); }
  void pass(kj::ArrayPtr<const capnp::word> looked_at) {
    assembler_.pass(looked_at);
    ++counters_.frames_read;
  }
  void when_readable(Callback<void()> ready);
  void hasten();
  template <typename Whole>
  Result<void> send(Whole frame, std::size_t size);
  void end();
  void progress_at_end_of_turn() {
    end_of_turn_.add([self = shared_from_this()] { self->tell_progress(); });
  }
  void abandon();

  Socket socket_;
  FrameAssembler assembler_;
  OutgoingQueue queue_;
  std::size_t max_frame_bytes_;
  const bool patient_;
  std::optional<Error> failure_;
  Callback<void()> progress_;
  bool end_sent_ = false;

 private:
  void read();
  void on_read(asio::error_code error, std::size_t bytes);
  void tell_reader();
  void schedule_flush();
  void flush();
  void write_later();
  void on_written(asio::error_code error, std::size_t bytes);
  void tell_progress();
  void fail_with(Error error);
  void lost(const char* doing, asio::error_code error);

  StreamCounters own_counters_;
  StreamCounters& counters_;
  EndOfTurn& end_of_turn_;

  Callback<void()> ready_;
  bool reading_ = false;     // an async read is in flight
  bool peer_ended_ = false;  // the peer will send nothing more

  bool flush_due_ = false;
  bool hastened_ = false;
  bool writing_ = false;  // an async write is in flight: queue_ keeps the memory it looks at
  bool end_wanted_ = false;

  bool abandoned_ = false;  // the stream is gone: do nothing any more
};

Result<std::optional<FramedStream::Frame>> FramedStream::State::take() {
  auto frame = assembler_.next();
  if (!frame) {
    fail_with(frame.error());
    return fail(*failure_);
  }
  if (*frame) {
    ++counters_.frames_read;
    return frame;
  }
  if (peer_ended_ && assembler_.inside_frame()) {
    fail_with(Error{Errc::kUnavailable, "the connection ended in the middle of a message"});
  }
  if (failure_) {
    return fail(*failure_);
  }
  return std::nullopt;
}

void FramedStream::State::when_readable(Callback<void()> ready) {
  ready_ = std::move(ready);
  if (assembler_.ready() || peer_ended_ || failure_) {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->tell_reader(); });
  } else {
    read();
  }
}

void FramedStream::State::read() {
  if (reading_) {
    return;
  }
  reading_ = true;
  const auto space = assembler_.space();
  ++counters_.read_calls;
  socket_.async_read_some(asio::buffer(space.data(), space.size()),
                          [self = shared_from_this()](asio::error_code error, std::size_t bytes) {
                            self->on_read(error, bytes);
                          });
}

void FramedStream::State::on_read(asio::error_code error, std::size_t bytes) {
  reading_ = false;
  if (abandoned_ || failure_) {
    return;
  }
  assembler_.added(bytes);
  if (error == asio::error::eof) {
    peer_ended_ = true;
  } else if (error) {
    return lost("reading", error);
  }
  if (assembler_.ready() || peer_ended_) {
    tell_reader();
  } else {
    read();
  }
}

void FramedStream::State::tell_reader() {
  if (auto ready = std::exchange(ready_, {}); ready && !abandoned_) {
    ready();
  }
}

template <typename Whole>
Result<void> FramedStream::State::send(Whole frame, std::size_t size) {
  if (size > max_frame_bytes_) {
    return fail(Errc::kLimitExceeded, "a message of " + std::to_string(size) +
                                          " bytes is not sent: at most " + std::to_string(max_frame_bytes_) +
                                          " are taken");
  }
  if (!failure_ && !end_wanted_) {
    ++counters_.frames_written;
    queue_.add(std::move(frame));
    schedule_flush();
  }
  return {};
}

void FramedStream::State::end() {
  end_wanted_ = true;
  schedule_flush();
}

void FramedStream::State::schedule_flush() {
  if (flush_due_ || writing_ || failure_) {
    return;
  }
  flush_due_ = true;
  auto write = [self = shared_from_this()] {
    self->flush_due_ = false;
    self->flush();
  };
  patient_ ? end_of_turn_.add_patient(std::move(write)) : end_of_turn_.add(std::move(write));
}

void FramedStream::State::hasten() {
  if (!patient_ || !flush_due_ || std::exchange(hastened_, true)) {
    return;
  }
  end_of_turn_.add_and_end([self = shared_from_this()] {
    self->hastened_ = false;
    self->flush();
  });
}

void FramedStream::State::flush() {
  if (abandoned_ || failure_ || writing_) {
    return;
  }
  while (!queue_.empty() && !writing_) {
    asio::error_code error;
    ++counters_.write_calls;
    const std::size_t bytes = socket_.write_some(queue_.gather(), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      write_later();
    } else if (error) {
      return lost("writing", error);
    }
    queue_.consumed(bytes);
  }
  if (end_wanted_ && queue_.empty() && !end_sent_) {
    socket_.shutdown_send();
    end_sent_ = true;
  }
  tell_progress();
}

void FramedStream::State::write_later() {
  writing_ = true;
  socket_.async_write_some(queue_.gather(),
                           [self = shared_from_this()](asio::error_code error, std::size_t bytes) {
                             self->on_written(error, bytes);
                           });
}

void FramedStream::State::on_written(asio::error_code error, std::size_t bytes) {
  writing_ = false;
  if (abandoned_ || failure_) {
    queue_.clear();
    return;
  }
  ++counters_.write_calls;
  if (error) {
    return lost("writing", error);
  }
  queue_.consumed(bytes);
  flush();
}

void FramedStream::State::tell_progress() {
  if (abandoned_ || !progress_) {
    return;
  }
  // Held here while it runs: it may destroy the stream, and with it what it captured.
  auto progress = std::exchange(progress_, {});
  progress();
  if (!abandoned_ && !progress_) {
    progress_ = std::move(progress);
  }
}

void FramedStream::State::lost(const char* doing, asio::error_code error) {
  fail_with(Error{Errc::kUnavailable,
                  std::string("the connection was lost while ") + doing + ": " + error.message()});
}

void FramedStream::State::fail_with(Error error) {
  if (failure_) {
    return;
  }
  failure_ = std::move(error);
  socket_.close();
  if (!writing_) {
    queue_.clear();
  }
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->tell_reader();
    self->tell_progress();
  });
}

void FramedStream::State::abandon() {
  abandoned_ = true;
  ready_ = {};
  progress_ = {};
  if (!writing_ && !failure_) {
    // Last words: a server that stops has just told its callers so.
    asio::error_code error;
    while (!queue_.empty() && !error) {
      queue_.consumed(socket_.write_some(queue_.gather(), error));
    }
    queue_.clear();
  }
  socket_.close();
}

FramedStream::FramedStream(Socket socket, FramedStreamOptions options)
    : max_queue_bytes_(options.max_queue_bytes),
      state_(std::make_shared<State>(std::move(socket), options)) {}

FramedStream::~FramedStream() { state_->abandon(); }

Result<std::optional<FramedStream::Frame>> FramedStream::take() { return state_->take(); }
kj::ArrayPtr<const capnp::word> FramedStream::look() const { return state_->assembler_.look(); }
void FramedStream::pass(kj::ArrayPtr<const capnp::word> looked_at) { state_->pass(looked_at); }
bool FramedStream::ended() const { return state_->ended(); }
void FramedStream::when_readable(Callback<void()> ready) { state_->when_readable(std::move(ready)); }

Result<void> FramedStream::send(Segments segments) { return state_->send(segments, frame_bytes(segments)); }
Result<void> FramedStream::send(Frame frame) {
  const std::size_t size = frame.asBytes().size();
  return state_->send(kj::mv(frame), size);
}

void FramedStream::hasten() { state_->hasten(); }
std::size_t FramedStream::queued_bytes() const { return state_->queue_.bytes(); }
void FramedStream::on_progress(Callback<void()> flushed) { state_->progress_ = std::move(flushed); }
void FramedStream::progress_at_end_of_turn() { state_->progress_at_end_of_turn(); }
void FramedStream::end() { state_->end(); }
bool FramedStream::end_sent() const { return state_->end_sent_; }
const std::optional<Error>& FramedStream::failure() const { return state_->failure_; }

void FramedStream::set_max_frame_bytes(std::size_t bytes) {
  state_->max_frame_bytes_ = bytes;
  state_->assembler_.set_max_frame_bytes(bytes);
}
const Endpoint& FramedStream::local() const { return state_->socket_.local(); }
const Endpoint& FramedStream::remote() const { return state_->socket_.remote(); }

}  // namespace holdfast::net
