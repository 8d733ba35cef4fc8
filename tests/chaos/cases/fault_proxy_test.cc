#include "tests/chaos/fault_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "tests/chaos/waiting.h"

namespace holdfast::chaos {

namespace {

/// A socket that is closed in the end.
class Socket {
 public:
  explicit Socket(int handle) : handle_(handle) {}
  Socket(Socket&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  ~Socket() {
    if (handle_ >= 0) close(handle_);
  }
  int handle() const { return handle_; }

  void say(const std::string& text) const {
    REQUIRE(send(handle_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  /// Returns: what comes within the limit; "" if nothing does, "end" or "reset" if that comes.
  std::string hear(int limit_ms) const {
    pollfd wanted{handle_, POLLIN, 0};
    if (poll(&wanted, 1, limit_ms) <= 0) return "";
    char buffer[65536];
    const ssize_t count = recv(handle_, buffer, sizeof buffer, 0);
    if (count < 0) return "reset";
    return count == 0 ? "end" : std::string(buffer, static_cast<std::size_t>(count));
  }
  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    REQUIRE(getsockname(handle_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
  }

 private:
  int handle_;
};

sockaddr_in on_loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Socket listener() {
  Socket one(socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in address = on_loopback(0);
  REQUIRE(bind(one.handle(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(one.handle(), 8) == 0);
  return one;
}

Socket dial(std::uint16_t port) {
  Socket one(socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in address = on_loopback(port);
  REQUIRE(connect(one.handle(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return one;
}

/// Returns: the connection that comes, or one of handle -1.
Socket accept(const Socket& listener, int limit_ms) {
  pollfd wanted{listener.handle(), POLLIN, 0};
  return Socket(poll(&wanted, 1, limit_ms) <= 0 ? -1 : ::accept(listener.handle(), nullptr, nullptr));
}

constexpr int kSoon = 5000;   // for what is certain to come
constexpr int kAWhile = 100;  // in which what is held does not come

/// Somebody called "a" who talks through a door to somebody called "b".
struct Line {
  FaultProxy proxy{1};
  Socket target = listener();
  std::uint16_t door = proxy.open_door("b", target.port(), [](std::uint16_t) { return std::string("a"); });
  Socket a = dial(door);
  Socket b = accept(target, kSoon);

  Line() {
    REQUIRE(b.handle() >= 0);
    a.say("ping");
    REQUIRE(b.hear(kSoon) == "ping");
    b.say("pong");
    REQUIRE(a.hear(kSoon) == "pong");
  }
};

}  // namespace

TEST_CASE("without a rule a door only passes on, and says when one side has ended") {
  Line line;
  { const Socket gone = std::move(line.a); }
  CHECK(line.b.hear(kSoon) == "end");
}

TEST_CASE("what is held arrives late, or is lost with its connection") {
  for (const bool reset : {false, true}) {
    Line line;
    line.proxy.set("a", "b", Rule::blackhole());
    line.a.say("one");
    line.b.say("two");
    CHECK(line.b.hear(kAWhile) == "");
    CHECK(line.a.hear(kAWhile) == "");
    line.proxy.heal(reset);
    CHECK(line.b.hear(kSoon) == (reset ? "reset" : "one"));
    CHECK(line.a.hear(kSoon) == (reset ? "reset" : "two"));
  }
}

TEST_CASE("much that is held arrives in order, and what comes behind it too") {
  Line line;
  for (int round = 0; round < 3; ++round) {
    line.proxy.set("a", "b", Rule::blackhole());
    std::string said;
    for (int i = 0; i < 100; ++i) {
      const std::string text = "message " + std::to_string(i) + ";";
      line.a.say(text);
      said += text;
      if (i % 10 == 0) CHECK(line.b.hear(1) == "");
    }
    line.proxy.heal(false);
    line.a.say("behind");
    said += "behind";
    std::string heard;
    while (heard.size() < said.size()) {
      const std::string more = line.b.hear(kSoon);
      REQUIRE(more != "");
      heard += more;
    }
    CHECK(heard == said);
  }
}

TEST_CASE("one direction alone can be held") {
  Line line;
  line.proxy.set("a", "b", {.hold_there = true});
  line.a.say("one");
  line.b.say("two");
  CHECK(line.a.hear(kSoon) == "two");
  CHECK(line.b.hear(kAWhile) == "");
  line.proxy.heal(false);
  CHECK(line.b.hear(kSoon) == "one");
}

TEST_CASE("a rule is for one route and nobody else's") {
  Line line;
  line.proxy.set("somebody", "b", Rule::blackhole());
  line.proxy.set("a", "somebody", Rule::blackhole());
  line.a.say("one");
  CHECK(line.b.hear(kSoon) == "one");
}

TEST_CASE("a new connection through a black hole waits, and is made when it is over") {
  Line line;
  line.proxy.set("a", "b", Rule::blackhole());
  const Socket late = dial(line.door);
  late.say("hello");
  CHECK(accept(line.target, kAWhile).handle() < 0);
  line.proxy.heal(false);
  const Socket met = accept(line.target, kSoon);
  REQUIRE(met.handle() >= 0);
  CHECK(met.hear(kSoon) == "hello");
}

TEST_CASE("a reset ends the connections there are, and a refusal those to come") {
  Line line;
  line.proxy.reset("a", "b");
  CHECK(line.a.hear(kSoon) == "reset");
  CHECK(line.b.hear(kSoon) == "reset");
  line.proxy.set("a", "b", {.refuse = true});
  CHECK(dial(line.door).hear(kSoon) == "reset");
  line.proxy.heal(false);
  const Socket again = dial(line.door);
  CHECK(accept(line.target, kSoon).handle() >= 0);
}

TEST_CASE("a forgotten connection stays open and silent for good, while new ones live") {
  Line line;
  line.proxy.forget("a", "b");
  line.a.say("one");
  CHECK(line.b.hear(kAWhile) == "");
  line.proxy.heal(true);
  CHECK(line.b.hear(kAWhile) == "");
  CHECK(line.a.hear(0) == "");
  const Socket again = dial(line.door);
  const Socket met = accept(line.target, kSoon);
  again.say("two");
  CHECK(met.hear(kSoon) == "two");
}

TEST_CASE("delays and throttles take their time, and keep the order") {
  Line line;
  line.proxy.set("a", "b", Rule::slow(milliseconds(100), milliseconds(20)));
  const std::int64_t began = clock_now();
  line.a.say("one");
  CHECK(line.b.hear(kSoon) == "one");
  CHECK(clock_now() - began >= 100'000);
  line.proxy.set("a", "b", Rule::throttled(50'000));
  const std::int64_t then = clock_now();
  const std::string much(10'000, 'x');
  line.a.say(much);
  std::string heard;
  while (heard.size() < much.size()) heard += line.b.hear(kSoon);
  CHECK(heard == much);
  CHECK(clock_now() - then >= 150'000);
}

TEST_CASE("who dialled is known by the port he dialled from") {
  const Socket target = listener();
  const Socket dialled = dial(target.port());
  CHECK(owner_of_port(dialled.port(), {1, getpid()}) == 1);
  CHECK(owner_of_port(dialled.port(), {1}) == -1);
}

}  // namespace holdfast::chaos
