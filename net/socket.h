#pragma once

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/endpoint.h"
#include "base/time.h"

namespace holdfast::net {

/// A connected byte stream. It is the one seam behind which TLS will come: what lies above reads and writes
/// through these few calls only.
class Socket {
 public:
  /// `slot`: kept until the socket is gone; how a listener counts its connections.
  explicit Socket(asio::ip::tcp::socket socket, std::shared_ptr<void> slot = nullptr);

  Socket(Socket&&) = default;
  Socket& operator=(Socket&&) = delete;

  /// Gives up a connection whose peer takes no bytes, or answers nothing, for so long; 30 s unless set.
  void set_stall_timeout(milliseconds timeout);

  /// Writes what the kernel takes now. Errors: would_block if it takes nothing.
  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers, asio::error_code& error) {
    return socket_.write_some(buffers, error);
  }
  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    socket_.async_write_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Handler>
  void async_read_some(asio::mutable_buffer buffer, Handler&& handler) {
    socket_.async_read_some(buffer, std::forward<Handler>(handler));
  }
  /// Tells the peer that nothing more will come.
  void shutdown_send();
  /// Cancels what is in flight; its handlers run with operation_aborted.
  void close();

  asio::any_io_executor get_executor() { return socket_.get_executor(); }
  /// As they were when the socket was made; an empty host if it was already gone by then.
  const Endpoint& local() const { return local_; }
  const Endpoint& remote() const { return remote_; }

 private:
  asio::ip::tcp::socket socket_;
  Endpoint local_;
  Endpoint remote_;
  // Owners: this socket alone; the listener only counts them.
  std::shared_ptr<void> slot_;
};

}  // namespace holdfast::net
