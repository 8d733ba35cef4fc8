#include "examples/microservice/line_call.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace microservice {

namespace {

/// Returns: a connected socket, or -1.
int connect_to(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int connection =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    const timeval limit{1, 0};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(connection, address->ai_addr, address->ai_addrlen) == 0) return connection;
    close(connection);
  }
  return -1;
}

}  // namespace

std::optional<std::string> call_line(const std::string& host, std::uint16_t port, const std::string& line) {
  const int connection = connect_to(host, port);
  if (connection < 0) return std::nullopt;
  const std::string request = line + "\n";
  std::string reply;
  if (send(connection, request.data(), request.size(), MSG_NOSIGNAL) ==
      static_cast<ssize_t>(request.size())) {
    std::array<char, 4096> buffer;
    ssize_t size = 0;
    while (reply.find('\n') == std::string::npos &&
           (size = recv(connection, buffer.data(), buffer.size(), 0)) > 0) {
      reply.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  close(connection);
  const std::size_t end = reply.find('\n');
  if (end == std::string::npos) return std::nullopt;
  return reply.substr(0, end);
}

}  // namespace microservice
