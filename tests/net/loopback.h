#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.capnp.h>
#include <schema/api.capnp.h>

#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/connect.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/rpc_connection.h"

/// Both ends of connections on loopback, on one loop.
namespace holdfast::net::test {

inline const Endpoint kAnyPort{"127.0.0.1", 0};
constexpr milliseconds kSoon{5000};  // a bound that only a broken test reaches

/// Runs the loop until `done` says so; fails the test if it never does.
inline void run_until(EventLoop& loop, const std::function<bool()>& done) {
  const Instant give_up = loop.now() + kSoon;
  while (!done()) {
    if (loop.now() > give_up) {
      FAIL("what the test waits for never came");
    }
    // A posted task and a turn of KJ's queue: neither needs anything of the outside to happen.
    auto turn = kj::newPromiseAndFulfiller<void>();
    loop.post([fulfiller = kj::mv(turn.fulfiller)]() mutable { fulfiller->fulfill(); });
    loop.run_until(kj::mv(turn.promise));
  }
}

/// Waits for a promise; fails the test with an exception if it never comes.
template <typename T>
T wait_for(EventLoop& loop, kj::Promise<T> promise) {
  return loop.run_until(loop.timer().timeoutAfter(kSoon.count() * kj::MILLISECONDS, kj::mv(promise)));
}

/// Runs everything that is ready, several times over.
inline void settle(EventLoop& loop) {
  for (int i = 0; i < 20; ++i) {
    bool passed = false;
    loop.post([&passed] { passed = true; });
    run_until(loop, [&passed] { return passed; });
  }
}

inline void send(MessageStream& stream, capnp::MessageBuilder& message) {
  REQUIRE(stream.send(message.getSegmentsForOutput()));
}
/// The next message; fails the test if there is none.
inline kj::Own<capnp::IncomingRpcMessage> receive(EventLoop& loop, MessageStream& stream) {
  auto received = wait_for(loop, stream.receive({}));
  KJ_IF_MAYBE (message, received) {
    return kj::mv(*message);
  }
  FAIL("the stream has ended");
  return {};
}

/// A connected pair of sockets.
struct SocketPair {
  std::optional<Socket> near;
  std::optional<Socket> far;
};

inline SocketPair connected_sockets(EventLoop& loop) {
  SocketPair pair;
  auto listener =
      Listener::open(loop, kAnyPort, {}, [&pair](Socket socket) { pair.far.emplace(std::move(socket)); });
  REQUIRE(listener);
  Connector connector(loop, (*listener)->endpoint(), kSoon, [&pair](Result<Socket> socket) {
    REQUIRE(socket);
    pair.near.emplace(std::move(*socket));
  });
  run_until(loop, [&pair] { return pair.near && pair.far; });
  return pair;
}

/// The far end as raw bytes, blocking calls never: what a hostile or slow peer does.
class RawPeer {
 public:
  explicit RawPeer(EventLoop& loop, const Endpoint& endpoint) : socket_(loop.io()) {
    socket_.connect(asio::ip::tcp::endpoint(asio::ip::make_address(endpoint.host), endpoint.port));
    socket_.non_blocking(true);
    socket_.set_option(asio::ip::tcp::no_delay(true));
  }

  void write(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  /// What has arrived; sets at_end() when the other side closed.
  std::string read() {
    std::string bytes(1 << 16, '\0');
    asio::error_code error;
    bytes.resize(socket_.read_some(asio::buffer(bytes), error));
    at_end_ = at_end_ || (error && error != asio::error::would_block);
    return bytes;
  }
  bool at_end() const { return at_end_; }
  asio::ip::tcp::socket& socket() { return socket_; }

 private:
  asio::ip::tcp::socket socket_;
  bool at_end_ = false;
};

}  // namespace holdfast::net::test
