#include "net/rpc_connection.h"

#include <capnp/serialize.h>

#include <chrono>

#include "base/random.h"
#include "net/alarm.h"

#include "tests/net/loopback.h"

namespace holdfast::net::test {
namespace {

/// A server with one connection at most, and a client of it.
struct Rpc {
  explicit Rpc(RpcLimits server_limits = {}, FramedStreamOptions server_stream = {}) {
    auto opened = Listener::open(loop, kAnyPort, {}, [this, server_limits, server_stream](Socket socket) {
      server = kj::heap<RpcConnection>(kj::heap<MessageStream>(std::move(socket), server_stream),
                                       kj::heap<EchoConfig>(calls), server_limits);
    });
    REQUIRE(opened);
    listener = std::move(*opened);
  }

  kj::Own<MessageStream> dial(FramedStreamOptions options = {}) {
    return wait_for(loop, connect(loop, listener->endpoint(), kSoon, options));
  }
  void connect_client(FramedStreamOptions options = {}) {
    client = kj::heap<RpcConnection>(dial(options));
    config = client->bootstrap().castAs<schema::Config>();
  }
  auto get(std::uint64_t size) {
    auto request = config->getRequest();
    request.initGet().setLimit(size);
    return request.send();
  }

  EventLoop loop;
  EchoConfig::Calls calls;
  std::unique_ptr<Listener> listener;
  kj::Own<RpcConnection> server;
  kj::Own<RpcConnection> client;
  std::optional<schema::Config::Client> config;
};

TEST_CASE("a call goes over the loop and its answer comes back") {
  Rpc rpc;
  rpc.connect_client();
  for (std::uint64_t size : {0, 1, 7, 8, 4096, 100'000, 1'000'000}) {
    auto response = wait_for(rpc.loop, rpc.get(size).then([](auto&& r) { return kj::mv(r); }));
    REQUIRE(response.getOutcome().isOk());
    CHECK(response.getOutcome().getOk().getCount() == size);
    CHECK(response.getOutcome().getOk().getEntries()[0].getValue().size() == size);
  }
  CHECK(rpc.client->remote() == rpc.listener->endpoint());
  CHECK(rpc.server->remote() == rpc.client->local());
  CHECK(rpc.client->remote_address() == rpc.listener->endpoint().to_string());
}

TEST_CASE("many calls in flight share system calls") {
  StreamCounters server_counters;
  FramedStreamOptions options;
  options.counters = &server_counters;
  Rpc rpc({}, options);
  rpc.connect_client();
  wait_for(rpc.loop, rpc.get(1).ignoreResult());
  server_counters = {};
  constexpr int kCalls = 1000;
  auto calls = kj::heapArrayBuilder<kj::Promise<void>>(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    calls.add(rpc.get(8).ignoreResult());
  }
  wait_for(rpc.loop, kj::joinPromises(calls.finish()));
  CHECK(rpc.calls.gets == kCalls + 1);
  CHECK(server_counters.frames_written >= kCalls);
  CHECK(server_counters.write_calls < kCalls / 4);
  CHECK(server_counters.read_calls < kCalls / 4);
}

TEST_CASE("a caller who goes away cancels the calls that wait") {
  Rpc rpc;
  rpc.connect_client();
  auto parked = rpc.config->putRequest().send();
  run_until(rpc.loop, [&] { return rpc.calls.puts == 1; });
  auto over = rpc.server->on_disconnect();
  rpc.config.reset();
  rpc.client = nullptr;
  wait_for(rpc.loop, kj::mv(over));
  CHECK(rpc.calls.puts_over == 1);
}

TEST_CASE("a server that goes away fails the calls that wait") {
  Rpc rpc;
  rpc.connect_client();
  auto parked = rpc.config->putRequest().send();
  run_until(rpc.loop, [&] { return rpc.calls.puts == 1; });
  rpc.server = nullptr;
  try {
    wait_for(rpc.loop, kj::mv(parked).ignoreResult());
    FAIL("the call was answered by nobody");
  } catch (const kj::Exception& exception) {
    CHECK(exception.getType() == kj::Exception::Type::DISCONNECTED);
  }
  wait_for(rpc.loop, rpc.client->on_disconnect());
}

TEST_CASE("a reader who does not read stops being read") {
  constexpr std::size_t kBound = 256 * 1024;
  constexpr std::size_t kAnswer = 64 * 1024;
  StreamCounters server_counters;
  FramedStreamOptions server_stream;
  server_stream.max_queue_bytes = kBound;
  server_stream.counters = &server_counters;
  Rpc rpc({}, server_stream);

  // A client that only reads once it is told to: its calls all go out, no answer is taken.
  auto stream = rpc.dial();
  MessageStream& raw = *stream;
  constexpr unsigned kCalls = 2000;
  capnp::MallocMessageBuilder bootstrap;
  bootstrap.initRoot<capnp::rpc::Message>().initBootstrap().setQuestionId(0);
  send(raw, bootstrap);
  for (unsigned i = 1; i <= kCalls; ++i) {
    capnp::MallocMessageBuilder message;
    auto call = message.initRoot<capnp::rpc::Message>().initCall();
    call.setQuestionId(i);
    call.initTarget().initPromisedAnswer().setQuestionId(0);
    call.setInterfaceId(capnp::typeId<schema::Config>());
    call.setMethodId(1);
    call.initParams().getContent().initAs<schema::Config::GetParams>().initGet().setLimit(kAnswer);
    send(raw, message);
  }
  run_until(rpc.loop, [&] { return rpc.server->queued_bytes() > kBound; });
  // What the kernel's buffers took, the bound, and the calls of one read-ahead: far below 2000 x 64 KiB.
  CHECK(rpc.calls.gets < static_cast<int>(kCalls));
  const std::size_t stalled_at = rpc.server->queued_bytes();
  const int answered = rpc.calls.gets;
  settle(rpc.loop);
  CHECK(rpc.server->queued_bytes() == stalled_at);
  CHECK(rpc.calls.gets == answered);
  CHECK(stalled_at < kBound + 2 * kAnswer);

  // It reads at last: everything is answered, in order.
  unsigned returns = 0;
  while (returns < kCalls + 1) {
    auto message = receive(rpc.loop, raw);
    auto root = message->getBody().getAs<capnp::rpc::Message>();
    REQUIRE(root.isReturn());
    CHECK(root.getReturn().getAnswerId() == returns);
    ++returns;
  }
  CHECK(rpc.calls.gets == static_cast<int>(kCalls));
}

TEST_CASE("calls in flight beyond the flow limit are not read") {
  RpcLimits limits;
  limits.max_call_bytes = 64 * 1024;
  Rpc rpc(limits);
  rpc.connect_client();
  std::vector<kj::Promise<void>> calls;
  for (int i = 0; i < 100; ++i) {
    auto request = rpc.config->putRequest();
    request.initPut().initValue(8 * 1024);
    calls.push_back(request.send().ignoreResult());
  }
  settle(rpc.loop);
  CHECK(rpc.calls.puts >= 7);
  CHECK(rpc.calls.puts <= 9);
  // As calls are answered, others are read.
  for (std::size_t i = 0; i < calls.size(); ++i) {
    run_until(rpc.loop, [&] { return rpc.calls.parked.size() > i; });
    rpc.calls.parked[i]->fulfill();
  }
  for (auto& call : calls) {
    wait_for(rpc.loop, kj::mv(call));
  }
}

TEST_CASE("an answer larger than a frame fails its call, with the reason, and the connection goes on") {
  FramedStreamOptions small;
  small.max_frame_bytes = 10'000;
  Rpc rpc({}, small);
  rpc.connect_client();
  CHECK_THROWS_WITH(wait_for(rpc.loop, rpc.get(20'000).ignoreResult()), Catch::Contains("at most 10000"));
  wait_for(rpc.loop, rpc.get(8).ignoreResult());
}

/// Asks again as soon as it is answered.
kj::Promise<void> keep_asking(Rpc& rpc, const bool& over) {
  return rpc.get(8).ignoreResult().then([&rpc, &over]() -> kj::Promise<void> {
    return over ? kj::Promise<void>(kj::READY_NOW) : keep_asking(rpc, over);
  });
}

TEST_CASE("timers fire and tasks run while calls saturate the loop") {
  Rpc rpc;
  rpc.connect_client();
  bool over = false;
  std::vector<kj::Promise<void>> callers;
  for (int i = 0; i < 200; ++i) {
    callers.push_back(keep_asking(rpc, over));
  }
  int heartbeats = 0;
  Alarm alarm(rpc.loop);
  std::function<void()> beat = [&] {
    ++heartbeats;
    alarm.set_after(milliseconds(1), [&beat] { beat(); });
  };
  beat();
  run_until(rpc.loop, [&] { return heartbeats >= 10 && rpc.calls.gets >= 400; });
  over = true;
  for (auto& caller : callers) {
    wait_for(rpc.loop, kj::mv(caller));
  }
  CHECK(heartbeats >= 10);
}

TEST_CASE("what was written before a connection is closed still arrives") {
  Rpc rpc;
  auto stream = rpc.dial();
  run_until(rpc.loop, [&] { return rpc.server.get() != nullptr; });
  capnp::MallocMessageBuilder last_words;
  last_words.initRoot<capnp::rpc::Message>().initAbort().setReason("stopping");
  auto near = kj::mv(stream);
  send(*near, last_words);
  near = nullptr;
  wait_for(rpc.loop, rpc.server->on_disconnect());
}

TEST_CASE("a stranger's mutated calls end its connection at most") {
  Random random(31337);
  Rpc rpc;
  // Real calls, as bytes.
  std::string bootstrap;
  std::string call;
  {
    capnp::MallocMessageBuilder message;
    message.initRoot<capnp::rpc::Message>().initBootstrap().setQuestionId(0);
    auto words = capnp::messageToFlatArray(message);
    bootstrap.assign(reinterpret_cast<const char*>(words.begin()), words.asBytes().size());
  }
  {
    capnp::MallocMessageBuilder message;
    auto out = message.initRoot<capnp::rpc::Message>().initCall();
    out.setQuestionId(1);
    out.initTarget().initPromisedAnswer().setQuestionId(0);
    out.setInterfaceId(capnp::typeId<schema::Config>());
    out.setMethodId(1);
    out.initParams().getContent().initAs<schema::Config::GetParams>().initGet().setLimit(10);
    auto words = capnp::messageToFlatArray(message);
    call.assign(reinterpret_cast<const char*>(words.begin()), words.asBytes().size());
  }
  for (int round = 0; round < 200; ++round) {
    RawPeer peer(rpc.loop, rpc.listener->endpoint());
    std::string bytes = bootstrap + call + call;
    for (std::uint64_t flips = random.below(6); flips > 0; --flips) {
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    }
    peer.write(bytes.substr(0, random.between(1, bytes.size())));
    peer.socket().shutdown(asio::ip::tcp::socket::shutdown_send);
    // The listener puts the next connection in this one's place, in whatever state this one is.
    settle(rpc.loop);
  }
  rpc.connect_client();
  CHECK(wait_for(rpc.loop, rpc.get(10)).getOutcome().getOk().getCount() == 10);
}

}  // namespace
}  // namespace holdfast::net::test
