#include "examples/microservice/line_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace microservice {

namespace {
constexpr std::size_t kLongestLine = 64 * 1024;
}

LineServer::LineServer(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return;
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    close(listener_);
    listener_ = -1;
    return;
  }
  port_ = ntohs(address.sin_port);
}

LineServer::~LineServer() {
  for (const auto& [caller, unfinished] : callers_) close(caller);
  if (listener_ >= 0) close(listener_);
}

void LineServer::serve(int limit_ms, const Answer& answer) {
  std::vector<pollfd> waited{{listener_, POLLIN, 0}};
  for (const auto& [caller, unfinished] : callers_) waited.push_back({caller, POLLIN, 0});
  if (poll(waited.data(), waited.size(), limit_ms) <= 0) return;
  for (const pollfd& ready : waited) {
    if (ready.revents == 0) continue;
    if (ready.fd == listener_) {
      accept_caller();
    } else if (!read_lines(ready.fd, callers_.at(ready.fd), answer)) {
      close(ready.fd);
      callers_.erase(ready.fd);
    }
  }
}

void LineServer::accept_caller() {
  const int caller = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (caller >= 0) callers_.emplace(caller, "");
}

bool LineServer::read_lines(int caller, std::string& unfinished, const Answer& answer) {
  std::array<char, 4096> buffer;
  const ssize_t size = recv(caller, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  unfinished.append(buffer.data(), static_cast<std::size_t>(size));
  for (std::size_t end = 0; (end = unfinished.find('\n')) != std::string::npos;
       unfinished.erase(0, end + 1)) {
    const std::string reply = answer(unfinished.substr(0, end)) + "\n";
    // A caller that does not read its replies is let go rather than waited for.
    if (send(caller, reply.data(), reply.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(reply.size()))
      return false;
  }
  return unfinished.size() < kLongestLine;
}

}  // namespace microservice
