#include "net/message_stream.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <schema/api.capnp.h>

#include "tests/net/loopback.h"

namespace holdfast::net::test {
namespace {

using ReadResult = MessageStream::Received;

/// One end is a stream, the other raw bytes.
struct StreamAndPeer {
  explicit StreamAndPeer(FramedStreamOptions options = {}) {
    auto listener = Listener::open(loop, kAnyPort, {}, [this, options](Socket socket) {
      stream = kj::heap<MessageStream>(std::move(socket), options);
    });
    REQUIRE(listener);
    peer = std::make_unique<RawPeer>(loop, (*listener)->endpoint());
    run_until(loop, [this] { return stream.get() != nullptr; });
  }

  EventLoop loop;
  kj::Own<MessageStream> stream;
  std::unique_ptr<RawPeer> peer;
};

struct StreamPair {
  StreamPair(FramedStreamOptions near_options = {}, FramedStreamOptions far_options = {}) {
    auto sockets = connected_sockets(loop);
    near = kj::heap<MessageStream>(std::move(*sockets.near), near_options);
    far = kj::heap<MessageStream>(std::move(*sockets.far), far_options);
  }

  EventLoop loop;
  kj::Own<MessageStream> near;
  kj::Own<MessageStream> far;
};

void fill(capnp::MessageBuilder& builder, std::size_t size) {
  auto value = builder.initRoot<schema::Config::Put>().initValue(static_cast<unsigned>(size));
  std::memset(value.begin(), 'v', value.size());
}

std::string bytes_of(std::size_t size) {
  capnp::MallocMessageBuilder builder;
  fill(builder, size);
  auto words = capnp::messageToFlatArray(builder);
  return std::string(reinterpret_cast<const char*>(words.begin()), words.asBytes().size());
}

std::size_t value_size(capnp::IncomingRpcMessage& message) {
  return message.getBody().getAs<schema::Config::Put>().getValue().size();
}

kj::Exception::Type failure_of(EventLoop& loop, kj::Promise<ReadResult> promise) {
  try {
    wait_for(loop, kj::mv(promise));
  } catch (const kj::Exception& exception) {
    return exception.getType();
  }
  FAIL("the read succeeded");
  return kj::Exception::Type::UNIMPLEMENTED;
}

TEST_CASE("messages of every size cross and keep their order") {
  StreamPair pair;
  const std::vector<std::size_t> sizes{0, 1, 100, 4000, 4096, 70'000, 3, 3'000'000, 5};
  for (const std::size_t size : sizes) {
    capnp::MallocMessageBuilder builder;
    fill(builder, size);
    send(*pair.near, builder);
  }
  for (const std::size_t size : sizes) {
    auto message = receive(pair.loop, *pair.far);
    CHECK(value_size(*message) == size);
  }
}

TEST_CASE("a message that arrives a byte at a time is read when it is whole") {
  StreamAndPeer pair;
  auto read = pair.stream->receive({});
  for (const char byte : bytes_of(40)) {
    CHECK(!read.poll(pair.loop.wait_scope()));
    pair.peer->write(std::string(1, byte));
    settle(pair.loop);
  }
  auto message = wait_for(pair.loop, kj::mv(read));
  KJ_IF_MAYBE (whole, message) {
    CHECK(value_size(**whole) == 40);
  } else {
    FAIL("the stream has ended");
  }
}

TEST_CASE("the writes of one loop turn are one system call") {
  StreamCounters counters;
  FramedStreamOptions options;
  options.counters = &counters;
  StreamPair pair(options);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) {
      capnp::MallocMessageBuilder builder;
      fill(builder, 50);
      send(*pair.near, builder);
    }
    for (int i = 0; i < 100; ++i) {
      receive(pair.loop, *pair.far);
    }
  }
  CHECK(counters.write_calls == 3);
}

/// So many events of KJ's, each from the one before: the loop has work all the while.
kj::Promise<void> busy(int events) {
  if (events == 0) return kj::READY_NOW;
  return kj::evalLater([events] { return busy(events - 1); });
}

TEST_CASE("what is hastened leaves at the end of the turn, also from a patient stream that is busy") {
  StreamCounters counters;
  FramedStreamOptions options;
  options.patient = true;
  options.counters = &counters;
  StreamPair pair(options);
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 10; ++i) {
      capnp::MallocMessageBuilder builder;
      fill(builder, 50);
      send(*pair.near, builder);
      pair.near->hasten();
    }
    // Much less than a patient stream would wait for.
    pair.loop.run_until(busy(200));
    CHECK(counters.write_calls == static_cast<std::uint64_t>(round));
    for (int i = 0; i < 10; ++i) receive(pair.loop, *pair.far);
  }
}

TEST_CASE("hostile headers end the connection before the library sees them") {
  for (const std::string& bytes : {std::string("\xff\xff\xff\xff", 4) + std::string(60, '\xff'),
                                   std::string("\x40\0\0\0", 4) + std::string(300, '\0'),  // 65 segments
                                   std::string("\0\0\0\0\xff\xff\xff\xff", 8),             // 32 GiB
                                   std::string("\0\0\0\0\0\0\0\0", 8)}) {                  // nothing in it
    StreamAndPeer pair;
    auto read = pair.stream->receive({});
    pair.peer->write(bytes);
    CHECK(failure_of(pair.loop, kj::mv(read)) == kj::Exception::Type::FAILED);
    run_until(pair.loop, [&] {
      pair.peer->read();
      return pair.peer->at_end();
    });
    // And it stays so.
    CHECK(failure_of(pair.loop, pair.stream->receive({})) == kj::Exception::Type::FAILED);
  }
}

TEST_CASE("the end of the stream between messages is no error") {
  StreamAndPeer pair;
  pair.peer->write(bytes_of(10));
  pair.peer->socket().shutdown(asio::ip::tcp::socket::shutdown_send);
  CHECK(wait_for(pair.loop, pair.stream->receive({})) != nullptr);
  CHECK(wait_for(pair.loop, pair.stream->receive({})) == nullptr);
  CHECK(wait_for(pair.loop, pair.stream->receive({})) == nullptr);
  // It is closed one way only.
  capnp::MallocMessageBuilder builder;
  fill(builder, 10);
  send(*pair.stream, builder);
  std::string got;
  run_until(pair.loop, [&] {
    got += pair.peer->read();
    return got.size() >= bytes_of(10).size();
  });
  CHECK(got == bytes_of(10));
}

TEST_CASE("a stream that ends inside a message is a lost connection") {
  for (const std::size_t cut : {1u, 8u, 12u, 30u}) {
    StreamAndPeer pair;
    pair.peer->write(bytes_of(100).substr(0, cut));
    pair.peer->socket().shutdown(asio::ip::tcp::socket::shutdown_send);
    CHECK(failure_of(pair.loop, pair.stream->receive({})) == kj::Exception::Type::DISCONNECTED);
  }
}

TEST_CASE("a reset is a lost connection, for readers and writers") {
  StreamAndPeer pair;
  auto read = pair.stream->receive({});
  pair.peer->socket().set_option(asio::socket_base::linger(true, 0));
  pair.peer->socket().close();
  CHECK(failure_of(pair.loop, kj::mv(read)) == kj::Exception::Type::DISCONNECTED);
  capnp::MallocMessageBuilder builder;
  fill(builder, 10);
  send(*pair.stream, builder);  // into the void
  CHECK(pair.stream->queued_bytes() == 0);
  CHECK_THROWS_AS(wait_for(pair.loop, pair.stream->end()), kj::Exception);
}

TEST_CASE("end() lets everything out first") {
  StreamPair pair;
  for (int i = 0; i < 10; ++i) {
    capnp::MallocMessageBuilder builder;
    fill(builder, 500'000);
    send(*pair.near, builder);
  }
  auto end = pair.near->end().eagerlyEvaluate(nullptr);
  for (int i = 0; i < 10; ++i) {
    CHECK(value_size(*receive(pair.loop, *pair.far)) == 500'000);
  }
  CHECK(wait_for(pair.loop, pair.far->receive({})) == nullptr);
  wait_for(pair.loop, kj::mv(end));
}

TEST_CASE("a message larger than a frame is refused where it is sent") {
  FramedStreamOptions options;
  options.max_frame_bytes = 1000;
  StreamPair pair(options);
  capnp::MallocMessageBuilder builder;
  fill(builder, 2000);
  const Result<void> sent = pair.near->send(builder.getSegmentsForOutput());
  REQUIRE(!sent);
  CHECK_THAT(sent.error().message, Catch::Contains("at most 1000"));
  // The stream goes on.
  capnp::MallocMessageBuilder small;
  fill(small, 20);
  send(*pair.near, small);
  CHECK(value_size(*receive(pair.loop, *pair.far)) == 20);
}

TEST_CASE("promises may be dropped while they wait, and the stream goes on") {
  StreamPair pair;
  for (int i = 0; i < 5; ++i) {
    auto dropped = pair.far->receive({});
    settle(pair.loop);
  }
  capnp::MallocMessageBuilder builder;
  fill(builder, 20);
  send(*pair.near, builder);
  CHECK(value_size(*receive(pair.loop, *pair.far)) == 20);
}

TEST_CASE("a stream may be destroyed while a read, what it sends and its end wait") {
  StreamPair pair;
  auto read = pair.near->receive({});
  for (int i = 0; i < 200; ++i) {
    capnp::MallocMessageBuilder builder;
    fill(builder, 100'000);
    send(*pair.near, builder);
  }
  settle(pair.loop);  // an asynchronous write of asio's is in flight now
  auto end = pair.near->end();
  pair.near = nullptr;
  settle(pair.loop);
  CHECK(failure_of(pair.loop, kj::mv(read)) == kj::Exception::Type::DISCONNECTED);
  CHECK_THROWS_AS(wait_for(pair.loop, kj::mv(end)), kj::Exception);
}

TEST_CASE("a stream may be destroyed by what it has just told") {
  StreamAndPeer pair;
  auto read = pair.stream->receive({}).then([&](ReadResult&& message) {
    CHECK(message != nullptr);
    pair.stream = nullptr;
  });
  pair.peer->write(bytes_of(10) + bytes_of(10));
  wait_for(pair.loop, kj::mv(read));
  settle(pair.loop);
  CHECK(pair.stream.get() == nullptr);
}

}  // namespace
}  // namespace holdfast::net::test
