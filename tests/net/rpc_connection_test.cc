#include "net/rpc_connection.h"

#include <capnp/serialize.h>

#include <chrono>
#include <set>

#include "base/random.h"
#include "net/alarm.h"

#include "tests/net/echo_rpc.h"

namespace holdfast::net::test {
namespace {

TEST_CASE("a call goes over the loop and its answer comes back") {
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Rpc rpc(route);
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
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  StreamCounters server_counters;
  FramedStreamOptions options;
  options.counters = &server_counters;
  Rpc rpc(route, {}, options);
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
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Rpc rpc(route);
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
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Rpc rpc(route);
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
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  constexpr std::size_t kBound = 256 * 1024;
  constexpr std::size_t kAnswer = 64 * 1024;
  StreamCounters server_counters;
  FramedStreamOptions server_stream;
  server_stream.max_queue_bytes = kBound;
  server_stream.counters = &server_counters;
  Rpc rpc(route, {}, server_stream);

  // A client that only reads once it is told to: its calls all go out, no answer is taken.
  auto stream = rpc.dial();
  MessageStream& raw = *stream;
  constexpr unsigned kCalls = 2000;
  capnp::MallocMessageBuilder bootstrap;
  bootstrap.initRoot<capnp::rpc::Message>().initBootstrap().setQuestionId(0);
  send(raw, bootstrap);
  capnp::MallocMessageBuilder door;
  write_config_call(door, 1);
  send(raw, door);
  for (unsigned i = 2; i < kCalls + 2; ++i) {
    capnp::MallocMessageBuilder message;
    auto call = message.initRoot<capnp::rpc::Message>().initCall();
    call.setQuestionId(i);
    aim_at_service(call, 1);
    call.setInterfaceId(capnp::typeId<schema::Config>());
    call.setMethodId(1);
    call.initParams().getContent().initAs<schema::Config::GetParams>().initGet().setLimit(kAnswer);
    send(raw, message);
  }
  run_until(rpc.loop, [&] { return rpc.server->queued_bytes() > kBound; });
  // What the kernel's buffers took, the bound, and the calls of one read-ahead: far below 2000 x 64 KiB.
  CHECK(rpc.calls.gets < static_cast<int>(kCalls));
  settle(rpc.loop);
  const std::size_t stalled_at = rpc.server->queued_bytes();
  const int answered = rpc.calls.gets;
  settle(rpc.loop);
  CHECK(rpc.server->queued_bytes() == stalled_at);
  CHECK(rpc.calls.gets == answered);
  CHECK(stalled_at < kBound + 2 * kAnswer);

  // It reads at last: everything is answered, once.
  std::set<std::uint32_t> answered_ids;
  while (answered_ids.size() < kCalls + 2) {
    auto message = receive(rpc.loop, raw);
    auto root = message->getBody().getAs<capnp::rpc::Message>();
    REQUIRE(root.isReturn());
    CHECK(answered_ids.insert(root.getReturn().getAnswerId()).second);
  }
  CHECK(rpc.calls.gets == static_cast<int>(kCalls));
}

TEST_CASE("calls in flight beyond the flow limit are not read") {
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  RpcLimits limits;
  limits.calls.unanswered_bytes = 64 * 1024;
  Rpc rpc(route, limits);
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
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  FramedStreamOptions small;
  small.max_frame_bytes = 10'000;
  Rpc rpc(route, {}, small);
  rpc.connect_client();
  CHECK_THROWS_WITH(wait_for(rpc.loop, rpc.get(20'000).ignoreResult()), Catch::Contains("at most 10000"));
  wait_for(rpc.loop, rpc.get(8).ignoreResult());
}

TEST_CASE("plain calls on a service go past the RPC system, also before its capability has come") {
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Rpc rpc(route);
  rpc.connect_client();
  auto pipelined = rpc.get(1).ignoreResult();
  wait_for(rpc.loop, kj::mv(pipelined));
  wait_for(rpc.loop, rpc.get(1).ignoreResult());
  // The service again, by another capability, after the first was let go.
  rpc.ask_for_config();
  wait_for(rpc.loop, rpc.config->whenResolved());
  wait_for(rpc.loop, rpc.get(1).ignoreResult());
  CHECK(rpc.calls.gets == 3);
  CHECK(rpc.calls.direct == (route == Route::kRpcSystem ? 0 : 3));
}

TEST_CASE("what a service throws is what its caller catches") {
  Rpc rpc(GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth));
  rpc.connect_client();
  auto parked = rpc.config->putRequest().send();
  run_until(rpc.loop, [&] { return rpc.calls.puts == 1; });
  rpc.calls.parked[0]->reject(KJ_EXCEPTION(OVERLOADED, "not now"));
  try {
    wait_for(rpc.loop, kj::mv(parked).ignoreResult());
    FAIL("the call succeeded");
  } catch (const kj::Exception& exception) {
    CHECK(exception.getType() == kj::Exception::Type::OVERLOADED);
    CHECK_THAT(std::string(exception.getDescription().cStr()), Catch::Contains("not now"));
  }
  // A method that the service has not.
  CHECK_THROWS_WITH(wait_for(rpc.loop, rpc.config->deleteRequest().send().ignoreResult()),
                    Catch::Contains("not implemented"));
  wait_for(rpc.loop, rpc.get(1).ignoreResult());
}

TEST_CASE("a call that its caller drops is cancelled, and the connection goes on") {
  Rpc rpc(GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth));
  rpc.connect_client();
  {
    auto dropped = rpc.config->putRequest().send();
    run_until(rpc.loop, [&] { return rpc.calls.puts == 1; });
  }
  run_until(rpc.loop, [&] { return rpc.calls.puts_over == 1; });
  for (int i = 0; i < 10; ++i) wait_for(rpc.loop, rpc.get(1).ignoreResult());
}

/// Question 1 returns the service.
std::string asking_for_config() {
  capnp::MallocMessageBuilder bootstrap;
  bootstrap.initRoot<capnp::rpc::Message>().initBootstrap().setQuestionId(0);
  capnp::MallocMessageBuilder door;
  write_config_call(door, 1);
  return bytes_of(bootstrap) + bytes_of(door);
}

std::string a_get(std::uint32_t question) {
  capnp::MallocMessageBuilder message;
  auto get = message.initRoot<capnp::rpc::Message>().initCall();
  get.setQuestionId(question);
  aim_at_service(get, 1);
  get.setInterfaceId(capnp::typeId<schema::Config>());
  get.setMethodId(1);
  get.initParams().getContent().initAs<schema::Config::GetParams>().initGet();
  return bytes_of(message);
}

std::string a_finish(std::uint32_t question) {
  capnp::MallocMessageBuilder message;
  message.initRoot<capnp::rpc::Message>().initFinish().setQuestionId(question);
  return bytes_of(message);
}

TEST_CASE("a caller may finish its calls long after they were answered") {
  RpcLimits limits;
  limits.calls.unanswered = 10;
  Rpc rpc(Route::kDirect, limits);
  RawPeer peer(rpc.loop, rpc.listener->endpoint());
  constexpr int kCalls = 200;
  std::string calls;
  std::string finishes;
  for (std::uint32_t question = 2; question < 2 + kCalls; ++question) {
    calls += a_get(question);
    finishes += a_finish(question);
  }
  peer.write(asking_for_config() + calls);
  run_until(rpc.loop, [&] { return rpc.calls.gets == kCalls; });
  // Their numbers are free again.
  peer.write(finishes + calls);
  run_until(rpc.loop, [&] { return rpc.calls.gets == 2 * kCalls; });
  CHECK(rpc.calls.direct == 2 * kCalls);
}

TEST_CASE("a caller that never finishes its calls loses its connection in the end") {
  RpcLimits limits;
  limits.calls.unfinished = 100;
  Rpc rpc(Route::kDirect, limits);
  RawPeer peer(rpc.loop, rpc.listener->endpoint());
  std::string calls;
  for (std::uint32_t question = 2; question < 2 + 100; ++question) calls += a_get(question);
  peer.write(asking_for_config() + calls);
  run_until(rpc.loop, [&] { return rpc.calls.gets == 100; });
  auto over = rpc.server->on_disconnect();
  CHECK_FALSE(rpc.server.get() == nullptr);
  peer.write(a_get(102));
  wait_for(rpc.loop, kj::mv(over));
  CHECK(rpc.calls.gets == 100);
}

TEST_CASE("a question's number that is in use twice ends the connection") {
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Rpc rpc(route);
  RawPeer peer(rpc.loop, rpc.listener->endpoint());
  capnp::MallocMessageBuilder message;
  auto put = message.initRoot<capnp::rpc::Message>().initCall();
  put.setQuestionId(2);
  aim_at_service(put, 1);
  put.setInterfaceId(capnp::typeId<schema::Config>());
  put.setMethodId(0);
  put.initParams().getContent().initAs<schema::Config::PutParams>();
  peer.write(asking_for_config() + bytes_of(message) + bytes_of(message));
  run_until(rpc.loop, [&] { return rpc.server.get() != nullptr; });
  wait_for(rpc.loop, rpc.server->on_disconnect());
  rpc.server = nullptr;
  // The library leaves the first of the two calls running.
  if (route != Route::kRpcSystem) run_until(rpc.loop, [&] { return rpc.calls.puts_over == rpc.calls.puts; });
}

/// Asks again as soon as it is answered.
kj::Promise<void> keep_asking(Rpc& rpc, const bool& over) {
  return rpc.get(8).ignoreResult().then([&rpc, &over]() -> kj::Promise<void> {
    return over ? kj::Promise<void>(kj::READY_NOW) : keep_asking(rpc, over);
  });
}

TEST_CASE("timers fire and tasks run while calls saturate the loop") {
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Rpc rpc(route);
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
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Rpc rpc(route);
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
  const Route route = GENERATE(Route::kRpcSystem, Route::kDirect, Route::kDirectBoth);
  Random random(31337);
  Rpc rpc(route);
  // Real calls, as bytes.
  std::string bootstrap;
  std::string door;
  std::string call;
  {
    capnp::MallocMessageBuilder message;
    message.initRoot<capnp::rpc::Message>().initBootstrap().setQuestionId(0);
    bootstrap = bytes_of(message);
  }
  {
    capnp::MallocMessageBuilder message;
    write_config_call(message, 1);
    door = bytes_of(message);
  }
  {
    capnp::MallocMessageBuilder message;
    auto out = message.initRoot<capnp::rpc::Message>().initCall();
    out.setQuestionId(2);
    aim_at_service(out, 1);
    out.setInterfaceId(capnp::typeId<schema::Config>());
    out.setMethodId(1);
    out.initParams().getContent().initAs<schema::Config::GetParams>().initGet().setLimit(10);
    call = bytes_of(message);
  }
  for (int round = 0; round < 200; ++round) {
    RawPeer peer(rpc.loop, rpc.listener->endpoint());
    std::string bytes = bootstrap + door + call + call;
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
