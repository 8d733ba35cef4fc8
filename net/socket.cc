#include "net/socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace holdfast::net {
namespace {

Endpoint to_endpoint(const asio::ip::tcp::endpoint& endpoint, const asio::error_code& error) {
  return error ? Endpoint{} : Endpoint{endpoint.address().to_string(), endpoint.port()};
}

// A peer that vanished without a word is noticed within about a minute, even when nothing is sent to it.
constexpr int kIdleSecondsBeforeProbe = 30;
constexpr int kSecondsBetweenProbes = 10;
constexpr int kProbes = 3;

// A peer that takes nothing of what is queued for it must not keep its queue in memory for ever.
constexpr milliseconds kStallTimeout{30'000};

void set_option(int descriptor, int level, int name, int value) {
  // A kernel that refuses only loses the tuning; the connection works without it.
  static_cast<void>(::setsockopt(descriptor, level, name, &value, sizeof(value)));
}

}  // namespace

Socket::Socket(asio::ip::tcp::socket socket, std::shared_ptr<void> slot)
    : socket_(std::move(socket)), slot_(std::move(slot)) {
  asio::error_code error;
  local_ = to_endpoint(socket_.local_endpoint(error), error);
  remote_ = to_endpoint(socket_.remote_endpoint(error), error);
  socket_.non_blocking(true, error);
  const int descriptor = socket_.native_handle();
  // A program that somebody's process starts must not hold our connection open, nor read from it.
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, kIdleSecondsBeforeProbe);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kSecondsBetweenProbes);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set_stall_timeout(kStallTimeout);
}

void Socket::set_stall_timeout(milliseconds timeout) {
  set_option(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(timeout.count()));
}

void Socket::shutdown_send() {
  asio::error_code ignored;  // a connection that is already gone needs no goodbye
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Socket::close() {
  asio::error_code ignored;  // the descriptor is released whatever close() reports
  socket_.close(ignored);
}

}  // namespace holdfast::net
