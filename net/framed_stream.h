#pragma once

#include <capnp/common.h>
#include <kj/array.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/callback.h"
#include "base/limits.h"
#include "base/result.h"
#include "net/socket.h"

namespace holdfast::net {

/// What a stream did, for metrics and for tests that prove that writes are gathered.
struct StreamCounters {
  std::uint64_t read_calls = 0;
  std::uint64_t write_calls = 0;
  std::uint64_t frames_read = 0;
  std::uint64_t frames_written = 0;
};

struct FramedStreamOptions {
  std::size_t max_frame_bytes = limits::kMaxClientFrameBytes;
  std::size_t max_queue_bytes = limits::kMaxConnectionQueueBytes;  ///< what over_bound() compares with
  bool patient = false;                                            ///< writes when the loop has time for it
  StreamCounters* counters = nullptr;                              ///< outlives the stream, if any
};

/// Whole frames over a socket, with callbacks instead of promises: what members speak over, and what
/// MessageStream is made of.
///
///     open --peer ends--> ended (reading is over, writing goes on)
///       \---error, bad frame, close()--> failed (the socket is closed)
///
/// Callbacks run on the loop, never inside a call to the stream, and may destroy the stream; none runs after
/// its destruction. Thread: the loop's.
class FramedStream {
 public:
  using Frame = kj::Array<capnp::word>;
  using Segments = kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>;

  FramedStream(Socket socket, FramedStreamOptions options);
  /// Closes the connection at once. What is queued goes if the kernel takes it without waiting, else is lost.
  ~FramedStream();
  FramedStream(const FramedStream&) = delete;
  FramedStream& operator=(const FramedStream&) = delete;

  /// The next frame that has arrived whole, header included; nullopt if there is none yet, or none any more:
  /// see ended().
  /// Errors: kUnavailable, the connection is lost or ended inside a frame; kLimitExceeded or
  /// kInvalidArgument, a frame was refused and the connection closed.
  Result<std::optional<Frame>> take();
  /// The same frame where it lies, so that nothing is copied, until pass() or the next read; nothing if
  /// take() has to tell. Requires for pass(): nothing was taken since.
  kj::ArrayPtr<const capnp::word> look() const;
  void pass(kj::ArrayPtr<const capnp::word> looked_at);
  /// The peer ended the stream between two frames, and all of them were taken.
  bool ended() const;
  /// Runs `ready` once, when take() has something to tell or ended(). Replaces the last one, if it waits.
  /// Nothing is read from the socket (beyond what was read ahead) unless someone waits.
  void when_readable(Callback<void()> ready);

  /// Queues a frame; it leaves at the end of this loop turn together with all that was queued by then.
  /// Ignored once failed. Errors: kLimitExceeded if it is larger than a frame may be; it is not queued.
  Result<void> send(Segments segments);
  /// The same for a frame that is already whole; it is not copied if large.
  Result<void> send(Frame frame);
  /// Of a patient stream: what is queued leaves at the end of this turn all the same, and the turn ends as
  /// soon as what runs now has returned.
  void hasten();
  std::size_t queued_bytes() const;
  bool over_bound() const { return queued_bytes() > max_queue_bytes_; }
  /// Runs `flushed` after every system call that took bytes off the queue, and when the stream fails.
  void on_progress(Callback<void()> flushed);
  /// Runs it once more at the end of this loop turn, whatever happens to the queue.
  void progress_at_end_of_turn();
  /// Lets the queue out, then tells the peer that nothing more comes. It shows in on_progress().
  void end();
  /// The end has been sent.
  bool end_sent() const;
  /// Why the connection is lost, if it is.
  const std::optional<Error>& failure() const;

  /// A handshake's frames are small; what follows need not be.
  void set_max_frame_bytes(std::size_t bytes);
  const Endpoint& local() const;
  const Endpoint& remote() const;

 private:
  class State;
  const std::size_t max_queue_bytes_;
  // Owners: this stream, and each asio operation in flight until its handler has run.
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::net
