#include "bench/compare/zookeeper/session.h"

#include <sys/socket.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::bench::zookeeper {
namespace {

constexpr std::int32_t kTimeoutMs = 40'000;  // the most that a server grants by default
constexpr std::int32_t kEventNumber = -1;
constexpr std::int32_t kPingNumber = -2;

}  // namespace

Session::Session(const Endpoint& endpoint, milliseconds patience) : socket_(endpoint, patience) {
  Writer hello;
  hello.int32(0).int64(0).int32(kTimeoutMs).int64(0).bytes(std::string(16, '\0')).boolean(false);
  socket_.send(Writer().bytes(hello.text()).text());
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!opened_) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !socket_.wait(left))
      throw std::runtime_error("no session at " + endpoint.to_string() + " in time");
    receive();
  }
}

Session::~Session() {
  // Else it would end by its timeout, in the middle of what is measured next.
  const std::string end =
      Writer().int32(8).int32(0).int32(static_cast<std::int32_t>(Kind::kCloseSession)).text();
  ::send(socket_.descriptor(), end.data(), end.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Session::send(Kind kind, std::string_view body, Reply reply) {
  const bool ping = kind == Kind::kPing;
  Writer header;
  header.int32(static_cast<std::int32_t>(8 + body.size()));
  header.int32(ping ? kPingNumber : ++last_request_).int32(static_cast<std::int32_t>(kind));
  outgoing_.append(header.text()).append(body);
  (ping ? pings_ : waiting_).push_back(std::move(reply));
  gathered();
}

void Session::flush() {
  if (outgoing_.empty()) return;
  socket_.send(outgoing_);
  outgoing_.clear();
}

void Session::receive() {
  incoming_.append(socket_.receive());
  std::string_view rest = incoming_;
  while (rest.size() >= 4) {
    const auto size = static_cast<std::size_t>(Reader(rest).int32());
    if (rest.size() - 4 < size) break;
    hand_out(rest.substr(4, size));
    rest.remove_prefix(4 + size);
  }
  incoming_.erase(0, incoming_.size() - rest.size());
}

void Session::hand_out(std::string_view message) {
  Reader reader(message);
  if (!opened_) return on_opened(reader);
  const std::int32_t number = reader.int32();
  reader.int64();  // of the last change
  const std::int32_t error = reader.int32();
  if (number == kEventNumber) return on_event(reader);
  auto& queue = number == kPingNumber ? pings_ : waiting_;
  if (queue.empty()) throw std::runtime_error("an answer to nothing");
  const Reply reply = std::move(queue.front());
  queue.pop_front();
  reply(error, reader);
}

void Session::on_opened(Reader answer) {
  answer.int32();
  const std::int32_t timeout_ms = answer.int32();
  if (timeout_ms <= 0 || !answer.good()) throw std::runtime_error("a server refuses a session");
  opened_ = true;
}

void Session::on_event(Reader event) {
  event.int32();  // what happened
  event.int32();  // the session's state
  const auto [first, last] = watches_.equal_range(std::string(event.bytes()));
  std::vector<std::function<void()>> told;
  for (auto watch = first; watch != last; ++watch) told.push_back(std::move(watch->second));
  watches_.erase(first, last);
  for (const auto& then : told) then();
}

}  // namespace holdfast::bench::zookeeper
