#include "bench/compare/zookeeper/session.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

namespace holdfast::bench::zookeeper {
namespace {

constexpr std::int32_t kTimeoutMs = 40'000;  // the most that a server grants by default
constexpr std::int32_t kEventNumber = -1;
constexpr std::int32_t kPingNumber = -2;

[[noreturn]] void lost(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

int connect_to(const Endpoint& endpoint) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found) != 0) {
    throw std::runtime_error("no such address: " + endpoint.to_string());
  }
  const int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int status = connect(descriptor, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  if (status != 0) {
    close(descriptor);
    lost(("no connection to " + endpoint.to_string()).c_str());
  }
  const int yes = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return descriptor;
}

}  // namespace

Session::Session(const Endpoint& endpoint) : descriptor_(connect_to(endpoint)) {
  // For what is awaited here; later nothing waits in a read.
  const timeval patience{10, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  Writer hello;
  hello.int32(0).int64(0).int32(kTimeoutMs).int64(0).bytes(std::string(16, '\0')).boolean(false);
  write(Writer().bytes(hello.text()).text());
  const std::string answer = read_message();
  Reader reader(answer);
  reader.int32();
  if (reader.int32() <= 0 || !reader.good())
    throw std::runtime_error("no session at " + endpoint.to_string());
}

Session::~Session() {
  // Else it would end by its timeout, in the middle of what is measured next.
  const std::string end =
      Writer().int32(8).int32(0).int32(static_cast<std::int32_t>(Kind::kCloseSession)).text();
  ::send(descriptor_, end.data(), end.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  close(descriptor_);
}

void Session::send(Kind kind, std::string_view body, Reply reply) {
  const bool ping = kind == Kind::kPing;
  Writer header;
  header.int32(static_cast<std::int32_t>(8 + body.size()));
  header.int32(ping ? kPingNumber : ++last_request_).int32(static_cast<std::int32_t>(kind));
  outgoing_.append(header.text()).append(body);
  (ping ? pings_ : waiting_).push_back(std::move(reply));
}

void Session::flush() {
  if (!outgoing_.empty()) write(std::exchange(outgoing_, {}));
}

void Session::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) lost("a connection was lost");
    text.remove_prefix(static_cast<std::size_t>(sent < 0 ? 0 : sent));
  }
}

std::string Session::read_message() {
  std::string text(4, '\0');
  if (recv(descriptor_, text.data(), 4, MSG_WAITALL) != 4) lost("a server does not answer");
  text.resize(static_cast<std::size_t>(Reader(text).int32()));
  if (recv(descriptor_, text.data(), text.size(), MSG_WAITALL) != static_cast<ssize_t>(text.size())) {
    lost("a server does not answer");
  }
  return text;
}

void Session::receive() {
  char piece[65536];
  const ssize_t length = recv(descriptor_, piece, sizeof piece, MSG_DONTWAIT);
  if (length == 0) throw std::runtime_error("a server closed a connection");
  if (length < 0 && errno != EAGAIN && errno != EINTR) lost("a connection was lost");
  if (length <= 0) return;
  incoming_.append(piece, static_cast<std::size_t>(length));
  std::string_view rest = incoming_;
  while (rest.size() >= 4) {
    const auto size = static_cast<std::size_t>(Reader(rest).int32());
    if (rest.size() < 4 + size) break;
    hand_out(rest.substr(4, size));
    rest.remove_prefix(4 + size);
  }
  incoming_.erase(0, incoming_.size() - rest.size());
}

void Session::hand_out(std::string_view message) {
  Reader reader(message);
  const std::int32_t number = reader.int32();
  reader.int64();  // of the last change
  const std::int32_t error = reader.int32();
  if (number == kEventNumber) {
    reader.int32();  // what happened
    reader.int32();  // the session's state
    const auto [first, last] = watches_.equal_range(std::string(reader.bytes()));
    std::vector<std::function<void()>> told;
    for (auto watch = first; watch != last; ++watch) told.push_back(std::move(watch->second));
    watches_.erase(first, last);
    for (const auto& then : told) then();
    return;
  }
  auto& queue = number == kPingNumber ? pings_ : waiting_;
  if (queue.empty()) throw std::runtime_error("an answer to nothing");
  const Reply reply = std::move(queue.front());
  queue.pop_front();
  reply(error, reader);
}

}  // namespace holdfast::bench::zookeeper
