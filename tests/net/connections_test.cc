#include <sys/resource.h>

#include <chrono>

#include "tests/net/loopback.h"

namespace holdfast::net::test {
namespace {

/// Counts the lines of one event.
class EventCounter final : public LogSink {
 public:
  void write(LogLevel, std::string_view event, std::initializer_list<LogField>) override {
    events.emplace_back(event);
  }
  std::vector<std::string> events;
};

Error failure_of(EventLoop& loop, const Endpoint& endpoint, milliseconds timeout) {
  std::optional<Error> error;
  Connector connector(loop, endpoint, timeout, [&error](Result<Socket> socket) {
    REQUIRE(!socket);
    error = socket.error();
  });
  run_until(loop, [&error] { return error.has_value(); });
  return *error;
}

TEST_CASE("port 0 takes a free port and tells which") {
  EventLoop loop;
  auto listener = Listener::open(loop, kAnyPort, {}, [](Socket) {});
  REQUIRE(listener);
  CHECK((*listener)->endpoint().host == "127.0.0.1");
  CHECK((*listener)->endpoint().port != 0);
}

TEST_CASE("a port in use is an error that names it") {
  EventLoop loop;
  auto first = Listener::open(loop, kAnyPort, {}, [](Socket) {});
  REQUIRE(first);
  const auto second = Listener::open(loop, (*first)->endpoint(), {}, [](Socket) {});
  REQUIRE(!second);
  CHECK(second.error().code == Errc::kUnavailable);
  CHECK(second.error().message ==
        "cannot listen on " + (*first)->endpoint().to_string() + ": address already in use");
}

TEST_CASE("an address of another machine is an error that names it") {
  EventLoop loop;
  const auto listener = Listener::open(loop, Endpoint{"192.0.2.1", 2379}, {}, [](Socket) {});
  REQUIRE(!listener);
  CHECK(listener.error().message == "cannot listen on 192.0.2.1:2379: cannot assign requested address");
}

TEST_CASE("a port is free again at once after a run with connections") {
  EventLoop loop;
  std::optional<Socket> accepted;
  auto listener =
      Listener::open(loop, kAnyPort, {}, [&](Socket socket) { accepted.emplace(std::move(socket)); });
  REQUIRE(listener);
  const Endpoint endpoint = (*listener)->endpoint();
  RawPeer peer(loop, endpoint);
  run_until(loop, [&] { return accepted.has_value(); });
  accepted->close();  // this side closes first: its end of the connection stays in TIME_WAIT
  listener->reset();
  peer.socket().close();
  CHECK(Listener::open(loop, endpoint, {}, [](Socket) {}));
}

TEST_CASE("connections beyond the cap are closed, and the cap counts those alive") {
  EventLoop loop;
  EventCounter log;
  Listener::Options options;
  options.max_connections = 2;
  options.logging = &log;
  std::vector<std::unique_ptr<Socket>> accepted;
  auto listener = Listener::open(loop, kAnyPort, options, [&](Socket socket) {
    accepted.push_back(std::make_unique<Socket>(std::move(socket)));
  });
  REQUIRE(listener);
  RawPeer first(loop, (*listener)->endpoint());
  RawPeer second(loop, (*listener)->endpoint());
  run_until(loop, [&] { return accepted.size() == 2; });
  CHECK((*listener)->connections() == 2);
  for (int i = 0; i < 3; ++i) {
    RawPeer third(loop, (*listener)->endpoint());
    run_until(loop, [&] {
      third.read();
      return third.at_end();
    });
  }
  CHECK(accepted.size() == 2);
  CHECK(log.events == std::vector<std::string>{"connection_refused"});  // once, not three times

  accepted.pop_back();
  RawPeer fourth(loop, (*listener)->endpoint());
  run_until(loop, [&] { return accepted.size() == 2; });
}

// Not under the sanitizers: UndefinedBehaviorSanitizer looks at an object by way of a pipe, and takes it for
// a damaged one where there are no descriptors.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("a listener outlives a time without descriptors") {
  EventLoop loop;
  EventCounter log;
  Listener::Options options;
  options.logging = &log;
  int accepted = 0;
  auto listener = Listener::open(loop, kAnyPort, options, [&](Socket) { ++accepted; });
  REQUIRE(listener);
  asio::ip::tcp::socket waiting(loop.io());
  waiting.open(asio::ip::tcp::v4());

  // No descriptor above those that are open now.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  waiting.connect(asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), (*listener)->endpoint().port));
  run_until(loop, [&] { return !log.events.empty(); });
  const int while_none = accepted;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);

  CHECK(while_none == 0);
  CHECK(log.events.front() == "accept_failed");
  run_until(loop, [&] { return accepted == 1; });
}
#endif

TEST_CASE("a listener may be destroyed by what it has accepted") {
  EventLoop loop;
  std::unique_ptr<Listener> listener;
  bool accepted = false;
  auto opened = Listener::open(loop, kAnyPort, {}, [&](Socket) {
    accepted = true;
    listener.reset();
  });
  REQUIRE(opened);
  listener = std::move(*opened);
  RawPeer peer(loop, listener->endpoint());
  run_until(loop, [&] { return accepted; });
  settle(loop);
  CHECK(listener == nullptr);
}

TEST_CASE("a refused connection says who refused it") {
  EventLoop loop;
  Endpoint endpoint;
  {
    auto listener = Listener::open(loop, kAnyPort, {}, [](Socket) {});
    REQUIRE(listener);
    endpoint = (*listener)->endpoint();
  }
  const Error error = failure_of(loop, endpoint, kSoon);
  CHECK(error.code == Errc::kUnavailable);
  CHECK(error.message == "cannot connect to " + endpoint.to_string() + ": connection refused");

  CHECK_THROWS_WITH(wait_for(loop, connect(loop, endpoint, kSoon)), Catch::Contains("connection refused"));
}

TEST_CASE("a name without an address is an error that names it") {
  EventLoop loop;
  const Error error = failure_of(loop, Endpoint{"no-such-host.invalid", 2379}, kSoon);
  CHECK(error.message.find("cannot connect to no-such-host.invalid:2379") == 0);
}

TEST_CASE("localhost is found by its name") {
  EventLoop loop;
  bool accepted = false;
  auto listener = Listener::open(loop, kAnyPort, {}, [&](Socket) { accepted = true; });
  REQUIRE(listener);
  auto stream = wait_for(loop, connect(loop, Endpoint{"localhost", (*listener)->endpoint().port}, kSoon));
  run_until(loop, [&] { return accepted; });
  CHECK(stream->remote().port == (*listener)->endpoint().port);
}

/// Listens and never accepts, with its queue full: a further connection gets no answer.
struct FullBacklog {
  explicit FullBacklog(EventLoop& loop) : acceptor(loop.io()) {
    acceptor.open(asio::ip::tcp::v4());
    acceptor.bind(asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    acceptor.listen(0);
    for (int i = 0; i < 4; ++i) {
      fillers.emplace_back(loop.io()).async_connect(acceptor.local_endpoint(), [](asio::error_code) {});
    }
    settle(loop);
  }
  Endpoint endpoint() const { return {"127.0.0.1", acceptor.local_endpoint().port()}; }

  asio::ip::tcp::acceptor acceptor;
  std::vector<asio::ip::tcp::socket> fillers;
};

TEST_CASE("a connection that nobody answers is given up in time") {
  EventLoop loop;
  FullBacklog silent(loop);
  const Instant start = loop.now();
  const Error error = failure_of(loop, silent.endpoint(), milliseconds(30));
  CHECK(loop.now() - start >= milliseconds(30));
  CHECK(error.message == "cannot connect to " + silent.endpoint().to_string() + ": no answer within 30 ms");
}

TEST_CASE("a connection attempt may be dropped while it waits") {
  EventLoop loop;
  FullBacklog silent(loop);
  bool told = false;
  {
    Connector connector(loop, silent.endpoint(), kSoon, [&told](Result<Socket>) { told = true; });
    auto promised = connect(loop, silent.endpoint(), kSoon);
    settle(loop);
  }
  settle(loop);
  CHECK(!told);
}

}  // namespace
}  // namespace holdfast::net::test
