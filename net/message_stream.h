#pragma once

#include <capnp/serialize-async.h>

#include <functional>
#include <memory>

#include "base/endpoint.h"
#include "base/limits.h"
#include "net/event_loop.h"
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
class MessageStream final : public capnp::MessageStream {
 public:
  explicit MessageStream(Socket socket, FramedStreamOptions options = {});
  ~MessageStream() noexcept(false);

  const Endpoint& local() const;
  const Endpoint& remote() const;
  /// Bytes accepted for writing that the kernel has not taken.
  std::size_t queued_bytes() const;
  /// From here on nothing is read while the queue, and what `backlog` says waits above it (an RPC system has
  /// a queue of its own), is over the bound. For one side of a connection only: if both stopped reading,
  /// neither would ever go on.
  void throttle_reads(std::function<std::size_t()> backlog);

  using capnp::MessageStream::tryReadMessage;
  using capnp::MessageStream::writeMessage;
  using capnp::MessageStream::writeMessages;
  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(
      kj::ArrayPtr<kj::AutoCloseFd> fds, capnp::ReaderOptions options,
      kj::ArrayPtr<capnp::word> scratch) override;
  /// Done when the message is buffered and the queue is within its bound; the segments were copied by then.
  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> fds,
                                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override;
  kj::Promise<void> writeMessages(
      kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override;
  kj::Maybe<int> getSendBufferSize() override;
  /// Done when all that was written has left and the peer was told that nothing more comes.
  kj::Promise<void> end() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};
}  // namespace holdfast::net
