#include "bench/compare/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace holdfast::bench {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

[[noreturn]] void lost(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int connect_to(const Endpoint& endpoint, milliseconds patience) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found) != 0) {
    throw std::runtime_error("no such address: " + endpoint.to_string());
  }
  const int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int status = connect(descriptor, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  if (status != 0) {
    const int error = errno;
    close(descriptor);
    errno = error;
    lost("no connection to " + endpoint.to_string());
  }
  const int yes = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return descriptor;
}

}  // namespace

Socket::Socket(const Endpoint& endpoint, milliseconds patience)
    : descriptor_(connect_to(endpoint, patience)) {}

Socket::~Socket() { close(descriptor_); }

void Socket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) lost("a connection was lost");
    bytes.remove_prefix(static_cast<std::size_t>(sent < 0 ? 0 : sent));
  }
}

std::string_view Socket::receive() {
  thread_local std::array<char, kPieceBytes> piece;
  const ssize_t length = recv(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT);
  if (length == 0) throw std::runtime_error("a server closed a connection");
  if (length < 0 && errno != EAGAIN && errno != EINTR) lost("a connection was lost");
  return {piece.data(), static_cast<std::size_t>(length < 0 ? 0 : length)};
}

bool Socket::wait(milliseconds at_most) {
  pollfd one{descriptor_, POLLIN, 0};
  return poll(&one, 1, static_cast<int>(at_most.count())) > 0;
}

Connections::Connections() : poll_(epoll_create1(EPOLL_CLOEXEC)) {}

Connections::~Connections() { close(poll_); }

void Connections::add(Connection& connection) {
  connection.unflushed_ = &unflushed_;
  connection.gathered();  // before it was added, perhaps
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  if (epoll_ctl(poll_, EPOLL_CTL_ADD, connection.descriptor(), &event) != 0)
    lost("a connection cannot be waited for");
}

void Connections::turn(milliseconds at_most) {
  flushing_.swap(unflushed_);  // a stream that cannot be sent ends, and another call may follow it
  for (Connection* connection : flushing_) {
    connection->listed_ = false;
    connection->flush();
  }
  flushing_.clear();
  std::array<epoll_event, 256> events;
  const int ready =
      epoll_wait(poll_, events.data(), static_cast<int>(events.size()), static_cast<int>(at_most.count()));
  for (int i = 0; i < ready; ++i)
    static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr)->receive();
}

}  // namespace holdfast::bench
