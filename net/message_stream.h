#pragma once

#include <capnp/message.h>
#include <capnp/rpc.capnp.h>
#include <capnp/rpc.h>
#include <kj/async.h>

#include <memory>

#include "base/endpoint.h"
#include "base/result.h"
#include "net/framed_stream.h"
#include "net/socket.h"

namespace holdfast::net {

/// Cap'n Proto's messages over a socket. Reads ahead, checks every frame before the library sees it, gathers
/// the writes of one loop turn into one system call, and (on the side that answers) stops reading while too
/// much waits to be written: a peer that asks and does not read the answers cannot grow this process.
///
/// Weather comes out as kj exceptions of type DISCONNECTED (FAILED for a frame that is refused); the end of
/// the stream between two messages is a null message. A promise may be dropped at any time. The stream may be
/// destroyed while its promises wait: they are rejected.
class MessageStream {
 public:
  using Segments = kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>;
  using Received = kj::Maybe<kj::Own<capnp::IncomingRpcMessage>>;

  /// Sees every message before receive() returns it.
  class Filter {
   public:
    /// The same, before anything of the message is copied: it is there for as long as this takes. Returns:
    /// false, and has done nothing, if it has to be taken.
    virtual bool glance(capnp::rpc::Message::Reader message) = 0;
    /// Whether a glance at a message of so many words is worth while.
    virtual bool is_glanced_at(std::size_t words) const = 0;
    /// Returns: true if it has dealt with the message. May throw, which ends the reading.
    virtual bool take(kj::Own<capnp::IncomingRpcMessage>& message) = 0;
    /// As long as this is true nothing more is read.
    virtual bool is_full() const = 0;
    /// Something of what was queued has left.
    virtual void made_progress() = 0;

   protected:
    ~Filter() = default;
  };

  explicit MessageStream(Socket socket, FramedStreamOptions options = {});
  ~MessageStream() noexcept(false);
  KJ_DISALLOW_COPY(MessageStream);

  const Endpoint& local() const;
  const Endpoint& remote() const;
  /// Bytes accepted for writing that the kernel has not taken.
  std::size_t queued_bytes() const;
  bool over_bound() const;
  /// From here on nothing is read while the queue is over the bound. For one side of a connection only: if
  /// both stopped reading, neither would ever go on.
  void throttle_reads();
  /// It outlives the stream's last read.
  void set_filter(Filter& filter);
  /// The filter is not full any more. Reading goes on later, not inside this call.
  void read_again();

  /// The next message; one at a time.
  kj::Promise<Received> receive(capnp::ReaderOptions options);
  /// The segments are copied. Does nothing on a connection that is lost: reading tells.
  /// Errors: kLimitExceeded, and the stream goes on.
  Result<void> send(Segments segments);
  /// What was sent need not wait for more to be sent: FramedStream::hasten().
  void hasten();
  /// Done when all that was sent has left and the peer was told that nothing more comes.
  kj::Promise<void> end();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};
}  // namespace holdfast::net
