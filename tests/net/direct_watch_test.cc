#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "base/random.h"
#include "net/direct_frames.h"
#include "net/direct_host.h"
#include "net/direct_line.h"
#include "schema/method.h"

#include "tests/net/echo_rpc.h"

/// Capabilities that go with calls past the RPC system: a watcher, and the handle that is returned for it.
namespace holdfast::net::test {
namespace {

using Watcher = schema::Config::Watcher;
using Parked = std::vector<kj::Own<kj::PromiseFulfiller<void>>>;

/// What a client's watcher hears.
struct Heard {
  int changes = 0;
  int gone = 0;              // watchers that were let go of
  bool fails = false;        // its calls
  Parked* parked = nullptr;  // where its calls wait, if they do
};

class Listening final : public Watcher::Server {
 public:
  explicit Listening(Heard& heard) : heard_(heard) {}
  ~Listening() noexcept(false) { ++heard_.gone; }

  kj::Promise<void> changes(ChangesContext context) override {
    heard_.changes += static_cast<int>(context.getParams().getChanges().size());
    if (heard_.fails) return KJ_EXCEPTION(OVERLOADED, "no more");
    if (!heard_.parked) return kj::READY_NOW;
    context.allowCancellation();
    auto parked = kj::newPromiseAndFulfiller<void>();
    heard_.parked->push_back(kj::mv(parked.fulfiller));
    return kj::mv(parked.promise);
  }

 private:
  Heard& heard_;
};

/// A call that tells of so many changes.
std::unique_ptr<SharedCall> telling(unsigned count, unsigned value_bytes = 0) {
  auto call =
      std::make_unique<SharedCall>(capnp::typeId<Watcher>(), schema::method_number<Watcher>("changes"),
                                   capnp::MessageSize{64 + value_bytes / sizeof(capnp::word), 0});
  auto changes = call->params().initAs<Watcher::ChangesParams>().initChanges(count);
  for (auto change : changes) change.initEntry().initValue(value_bytes);
  return call;
}

using Watching = capnp::Response<schema::Config::WatchResults>;

Watching watch(Rpc& rpc, Heard& heard) {
  auto request = rpc.config->watchRequest();
  auto watcher = kj::heap<Listening>(heard);
  if (rpc.route == Route::kDirectBoth) {
    request.setWatcher(host(kj::mv(watcher)));
  } else {
    request.setWatcher(kj::mv(watcher));
  }
  return wait_for(rpc.loop, request.send().then([](Watching&& opened) { return kj::mv(opened); }));
}

TEST_CASE("a watcher is called past the RPC system, over and over, one call at a time") {
  Rpc rpc(GENERATE(Route::kDirect, Route::kDirectBoth));
  rpc.connect_client();
  Heard heard;
  auto opened = watch(rpc, heard);
  REQUIRE(rpc.calls.watched != nullptr);
  Watched& watched = *rpc.calls.watched;
  REQUIRE(watched.line != nullptr);
  const auto call = telling(2);
  for (int i = 1; i <= 100; ++i) {
    watched.line->call(*call);
    CHECK_THROWS_WITH(watched.line->call(*call), Catch::Contains("one call at a time"));
    run_until(rpc.loop, [&] { return watched.answers == i; });
    REQUIRE(heard.changes == 2 * i);
  }
  CHECK(watched.failures.empty());
  wait_for(rpc.loop, rpc.get(1).ignoreResult());
}

TEST_CASE("a connection that is only called past the RPC system is read all the same") {
  Rpc rpc(Route::kDirectBoth);
  rpc.client = kj::heap<RpcConnection>(rpc.dial());
  const DirectCaller::Place place{capnp::typeId<schema::Holdfast>(),
                                  schema::method_number<schema::Holdfast>("config")};
  rpc.config = rpc.client->direct_caller().service(place).castAs<schema::Config>();
  wait_for(rpc.loop, rpc.get(1).ignoreResult());
}

/// Asks for `size` bytes over and over.
struct Reader final : DirectLine::Listener {
  explicit Reader(capnp::Capability::Client config) : line(DirectLine::to(kj::mv(config), *this)) {
    call.params().initAs<schema::Config::GetParams>().initGet();
  }
  void ask(std::uint64_t size) {
    call.params().getAs<schema::Config::GetParams>().getGet().setLimit(size);
    line->call(call);
  }
  void answered(kj::Maybe<kj::Exception> failure, capnp::AnyPointer::Reader results) override {
    CHECK(failure == nullptr);
    counts.push_back(results.getAs<schema::Config::GetResults>().getOutcome().getOk().getCount());
  }
  void room() override {}

  SharedCall call{capnp::typeId<schema::Config>(), schema::method_number<schema::Config>("get"), {32, 0}};
  std::vector<std::uint64_t> counts;
  std::unique_ptr<DirectLine> line;
};

TEST_CASE(
    "a service is called over a line too, before its capability has come, and what it returns can be read") {
  Rpc rpc(Route::kDirectBoth);
  rpc.connect_client();
  Reader reader(*rpc.config);
  REQUIRE(reader.line != nullptr);
  for (std::uint64_t size = 0; size < 20; ++size) {
    reader.ask(size);
    run_until(rpc.loop, [&] { return reader.counts.size() == size + 1; });
    CHECK(reader.counts.back() == size);
  }
  CHECK(rpc.calls.direct == 20);
}

TEST_CASE("one call is written once for many watchers, of a connection or of several") {
  Rpc rpc(GENERATE(Route::kDirect, Route::kDirectBoth));
  rpc.connect_client();
  Heard heard;
  std::vector<Watching> opened;
  std::vector<Watched*> watched;
  for (int i = 0; i < 20; ++i) {
    opened.push_back(watch(rpc, heard));
    watched.push_back(rpc.calls.watched);
  }
  const auto call = telling(1, 100);
  for (Watched* each : watched) each->line->call(*call);
  run_until(rpc.loop, [&] { return heard.changes == 20; });
  for (Watched* each : watched) run_until(rpc.loop, [&] { return each->answers == 1; });
}

TEST_CASE("where calls go through the RPC system, so does a watcher") {
  Rpc rpc(Route::kRpcSystem);
  rpc.connect_client();
  Heard heard;
  auto opened = watch(rpc, heard);
  REQUIRE(rpc.calls.watched != nullptr);
  CHECK(rpc.calls.watched->line == nullptr);
}

TEST_CASE("a watcher whose capability is only promised is the RPC system's") {
  Rpc rpc(Route::kDirect);
  rpc.connect_client();
  auto promised = kj::newPromiseAndFulfiller<Watcher::Client>();
  auto request = rpc.config->watchRequest();
  request.setWatcher(kj::mv(promised.promise));
  auto opened = wait_for(rpc.loop, request.send().then([](Watching&& answer) { return kj::mv(answer); }));
  REQUIRE(rpc.calls.watched != nullptr);
  CHECK(rpc.calls.watched->line == nullptr);
}

TEST_CASE("a dropped handle takes back the call under way and lets go of the watcher") {
  Rpc rpc(GENERATE(Route::kDirect, Route::kDirectBoth));
  rpc.connect_client();
  Parked parked;
  Heard heard;
  heard.parked = &parked;
  {
    auto opened = watch(rpc, heard);
    rpc.calls.watched->line->call(*telling(1));
    run_until(rpc.loop, [&] { return parked.size() == 1; });
    CHECK(parked[0]->isWaiting());
  }
  run_until(rpc.loop, [&] { return rpc.calls.watched == nullptr; });
  run_until(rpc.loop, [&] { return !parked[0]->isWaiting(); });
  run_until(rpc.loop, [&] { return heard.gone == 1; });
  for (int i = 0; i < 10; ++i) wait_for(rpc.loop, rpc.get(1).ignoreResult());
}

TEST_CASE("what a watcher throws is what its caller is told") {
  Rpc rpc(GENERATE(Route::kDirect, Route::kDirectBoth));
  rpc.connect_client();
  Heard heard;
  heard.fails = true;
  auto opened = watch(rpc, heard);
  Watched& watched = *rpc.calls.watched;
  watched.line->call(*telling(1));
  run_until(rpc.loop, [&] { return watched.answers == 1; });
  REQUIRE(watched.failures.size() == 1);
  CHECK(watched.failures[0].getType() == kj::Exception::Type::OVERLOADED);
  CHECK_THAT(std::string(watched.failures[0].getDescription().cStr()), Catch::Contains("no more"));
}

TEST_CASE("a connection that ends lets go of watchers and handles, on both sides") {
  const Route route = GENERATE(Route::kDirect, Route::kDirectBoth);
  const bool by_server = GENERATE(false, true);
  Rpc rpc(route);
  rpc.connect_client();
  Parked parked;
  Heard heard;
  heard.parked = &parked;
  auto opened = watch(rpc, heard);
  rpc.calls.watched->line->call(*telling(1));
  run_until(rpc.loop, [&] { return parked.size() == 1; });
  if (by_server) {
    rpc.server = nullptr;
    CHECK(rpc.calls.watched == nullptr);
    wait_for(rpc.loop, rpc.client->on_disconnect());
  } else {
    auto over = rpc.server->on_disconnect();
    rpc.config.reset();
    rpc.client = nullptr;
    wait_for(rpc.loop, kj::mv(over));
    run_until(rpc.loop, [&] { return rpc.calls.watched == nullptr; });
  }
  run_until(rpc.loop, [&] { return heard.gone == 1; });
}

/// Answers at once, unless told otherwise.
class PromptListening final : public Watcher::Server, public Prompt {
 public:
  explicit PromptListening(Heard& heard) : heard_(heard) {}

  bool answer(std::uint64_t, std::uint16_t, capnp::AnyPointer::Reader params) override {
    if (heard_.parked) return false;
    heard_.changes += static_cast<int>(params.getAs<Watcher::ChangesParams>().getChanges().size());
    if (heard_.fails) kj::throwFatalException(KJ_EXCEPTION(OVERLOADED, "no more"));
    return true;
  }
  kj::Promise<void> changes(ChangesContext) override {
    auto parked = kj::newPromiseAndFulfiller<void>();
    heard_.parked->push_back(kj::mv(parked.fulfiller));
    return kj::mv(parked.promise);
  }

 private:
  Heard& heard_;
};

TEST_CASE("a prompt watcher answers before it returns, throws, or lets a call take its usual way") {
  Rpc rpc(Route::kDirectBoth);
  rpc.connect_client();
  Heard heard;
  auto request = rpc.config->watchRequest();
  request.setWatcher(host(kj::heap<PromptListening>(heard)));
  auto opened = wait_for(rpc.loop, request.send().then([](Watching&& answer) { return kj::mv(answer); }));
  Watched& watched = *rpc.calls.watched;
  for (int i = 1; i <= 3; ++i) {
    watched.line->call(*telling(2));
    run_until(rpc.loop, [&] { return watched.answers == i; });
  }
  CHECK(heard.changes == 6);
  Parked parked;
  heard.parked = &parked;
  watched.line->call(*telling(1));
  run_until(rpc.loop, [&] { return parked.size() == 1; });
  parked[0]->fulfill();
  run_until(rpc.loop, [&] { return watched.answers == 4; });
  CHECK(watched.failures.empty());
  heard.parked = nullptr;
  heard.fails = true;
  watched.line->call(*telling(1));
  run_until(rpc.loop, [&] { return watched.answers == 5; });
  REQUIRE(watched.failures.size() == 1);
  CHECK(watched.failures[0].getType() == kj::Exception::Type::OVERLOADED);
}

TEST_CASE("a call larger than a frame is refused where it is made, and the next one goes") {
  FramedStreamOptions small;
  small.max_frame_bytes = 10'000;
  Rpc rpc(Route::kDirectBoth, {}, small);
  rpc.connect_client();
  Heard heard;
  auto opened = watch(rpc, heard);
  Watched& watched = *rpc.calls.watched;
  CHECK_THROWS_WITH(watched.line->call(*telling(1, 20'000)), Catch::Contains("at most 10000"));
  watched.line->call(*telling(1));
  run_until(rpc.loop, [&] { return watched.answers == 1; });
  CHECK(heard.changes == 1);
}

/// A client that says what it likes, in frames.
class Stranger {
 public:
  explicit Stranger(Rpc& rpc) : rpc_(rpc), stream_(rpc.dial()) {
    capnp::MallocMessageBuilder bootstrap;
    bootstrap.initRoot<protocol::Message>().initBootstrap().setQuestionId(0);
    send(*stream_, bootstrap);
    capnp::MallocMessageBuilder door;
    write_config_call(door, kService);
    send(*stream_, door);
  }

  void write_watch(capnp::MessageBuilder& message, std::uint32_t question, std::uint32_t watcher) {
    auto call = message.initRoot<protocol::Message>().initCall();
    call.setQuestionId(question);
    aim_at_service(call, kService);
    call.setInterfaceId(capnp::typeId<schema::Config>());
    call.setMethodId(schema::method_number<schema::Config>("watch"));
    call.initParams().initCapTable(1)[0].setSenderHosted(watcher);
    capnp::BuilderCapabilityTable table;
    table.imbue(call.getParams().getContent())
        .initAs<schema::Config::WatchParams>()
        .setWatcher(Watcher::Client(KJ_EXCEPTION(FAILED, "not called here")));
  }
  /// Returns: the number of the handle that the service returned.
  std::uint32_t watch(std::uint32_t question, std::uint32_t watcher) {
    capnp::MallocMessageBuilder message;
    write_watch(message, question, watcher);
    send(*stream_, message);
    const auto answer = await([question](protocol::Message::Reader got) {
      return got.isReturn() && got.getReturn().getAnswerId() == question;
    });
    const auto table = body(answer).getReturn().getResults().getCapTable();
    REQUIRE(table.size() == 1);
    return table[0].getSenderHosted();
  }
  void answer(std::uint32_t question) {
    capnp::MallocMessageBuilder message;
    init_return(message, question).initResults();
    send(*stream_, message);
  }
  void release(std::uint32_t number) { send_release(*stream_, number); }
  void finish(std::uint32_t question, bool release) { send_finish(*stream_, question, release); }
  void get(std::uint32_t question, std::uint64_t bytes) {
    capnp::MallocMessageBuilder message;
    auto call = message.initRoot<protocol::Message>().initCall();
    call.setQuestionId(question);
    aim_at_service(call, kService);
    call.setInterfaceId(capnp::typeId<schema::Config>());
    call.setMethodId(schema::method_number<schema::Config>("get"));
    call.initParams().getContent().initAs<schema::Config::GetParams>().initGet().setLimit(bytes);
    send(*stream_, message);
  }
  /// The connection goes on: a call is answered.
  void check_alive(std::uint32_t question) {
    get(question, 1);
    await([question](protocol::Message::Reader got) {
      return got.isReturn() && got.getReturn().getAnswerId() == question && got.getReturn().isResults();
    });
  }

  using Received = kj::Own<capnp::IncomingRpcMessage>;
  static protocol::Message::Reader body(const Received& message) {
    return const_cast<Received&>(message)->getBody().getAs<protocol::Message>();
  }
  /// The next message that is meant; others are passed over, and counted.
  Received await(const std::function<bool(protocol::Message::Reader)>& meant) {
    while (true) {
      auto message = receive(rpc_.loop, *stream_);
      if (body(message).isCall()) ++calls;
      if (body(message).isRelease()) released.push_back(body(message).getRelease().getId());
      if (body(message).isFinish()) finished.push_back(body(message).getFinish().getQuestionId());
      if (meant(body(message))) return message;
    }
  }
  /// The number of the next call's question.
  std::uint32_t await_call(std::uint32_t watcher) {
    const auto message = await([](protocol::Message::Reader got) { return got.isCall(); });
    CHECK(body(message).getCall().getTarget().getImportedCap() == watcher);
    return body(message).getCall().getQuestionId();
  }
  MessageStream& stream() { return *stream_; }

  int calls = 0;
  std::vector<std::uint32_t> released;
  std::vector<std::uint32_t> finished;

 private:
  static constexpr std::uint32_t kService = 1;
  Rpc& rpc_;
  kj::Own<MessageStream> stream_;
};

TEST_CASE("answers to what was not asked, and second answers, change nothing") {
  Rpc rpc(Route::kDirect);
  Stranger stranger(rpc);
  stranger.watch(2, 7);
  Watched& watched = *rpc.calls.watched;
  for (const std::uint32_t unknown : {kFirstDirectNumber, kFirstDirectNumber + 77, UINT32_MAX}) {
    stranger.answer(unknown);
  }
  watched.line->call(*telling(1));
  const std::uint32_t question = stranger.await_call(7);
  CHECK(is_direct(question));
  for (int i = 0; i < 3; ++i) stranger.answer(question);
  stranger.check_alive(3);
  CHECK(watched.answers == 1);
  // The number serves for the next call, too, which the end of the last one goes with.
  CHECK(stranger.finished.empty());
  watched.line->call(*telling(1));
  CHECK(stranger.await_call(7) == question);
  CHECK(stranger.finished == std::vector<std::uint32_t>{question});
  stranger.answer(question);
  stranger.check_alive(4);
  CHECK(watched.answers == 2);
  CHECK(watched.failures.empty());
}

TEST_CASE("a watch whose handle is released while its watcher is being called leaves nothing behind") {
  Rpc rpc(Route::kDirect);
  Stranger stranger(rpc);
  std::set<std::uint32_t> questions;
  for (std::uint32_t round = 0; round < 50; ++round) {
    const std::uint32_t handle = stranger.watch(2 + 2 * round, 7);
    rpc.calls.watched->line->call(*telling(1));
    const std::uint32_t question = stranger.await_call(7);
    CHECK(questions.insert(question).second);
    stranger.finish(2 + 2 * round, false);
    stranger.release(handle);
    stranger.check_alive(3 + 2 * round);
    CHECK(rpc.calls.watched == nullptr);
    // The call was taken back and the watcher let go of. An answer may come all the same, or none.
    CHECK(stranger.finished.back() == question);
    CHECK(stranger.released.size() == round + 1);
    CHECK(stranger.released.back() == 7);
    if (round % 2 == 0) stranger.answer(question);
  }
}

TEST_CASE("a handle that came with a finished question is let go of with it, if the client says so") {
  Rpc rpc(Route::kDirect);
  Stranger stranger(rpc);
  stranger.watch(2, 7);
  stranger.finish(2, true);
  stranger.check_alive(3);
  CHECK(rpc.calls.watched == nullptr);
  const std::uint32_t handle = stranger.watch(4, 7);
  stranger.finish(4, false);
  stranger.check_alive(5);
  CHECK(rpc.calls.watched != nullptr);
  // Twice is once.
  stranger.release(handle);
  stranger.release(handle);
  stranger.check_alive(6);
  CHECK(rpc.calls.watched == nullptr);
}

TEST_CASE("what a watch returns can be held, not called, and neither ends the connection") {
  Rpc rpc(Route::kDirect);
  Stranger stranger(rpc);
  const std::uint32_t handle = stranger.watch(2, 7);
  const auto refused = [&](std::uint32_t question, const std::function<void(protocol::Call::Builder)>& aim) {
    capnp::MallocMessageBuilder message;
    auto call = message.initRoot<protocol::Message>().initCall();
    call.setQuestionId(question);
    aim(call);
    call.initParams();
    send(stranger.stream(), message);
    const auto answer = stranger.await([question](protocol::Message::Reader got) {
      return got.isReturn() && got.getReturn().getAnswerId() == question;
    });
    CHECK(Stranger::body(answer).getReturn().isException());
    stranger.finish(question, false);
  };
  refused(3, [](protocol::Call::Builder call) { aim_at_service(call, 2); });
  refused(4, [handle](protocol::Call::Builder call) { call.initTarget().setImportedCap(handle); });
  stranger.check_alive(5);
  CHECK(rpc.calls.watched != nullptr);
}

TEST_CASE("who reads nothing is called no more once too much waits for it") {
  constexpr std::size_t kBound = 256 * 1024;
  constexpr unsigned kValue = 64 * 1024;
  FramedStreamOptions server_stream;
  server_stream.max_queue_bytes = kBound;
  Rpc rpc(Route::kDirect, {}, server_stream);
  Stranger stranger(rpc);
  std::vector<Watched*> watched;
  for (std::uint32_t i = 0; i < 200; ++i) {
    stranger.watch(2 + i, i);
    watched.push_back(rpc.calls.watched);
  }
  const auto call = telling(1, kValue);
  std::size_t called = 0;
  while (called < watched.size() && watched[called]->line->has_room()) {
    watched[called++]->line->call(*call);
    settle(rpc.loop);
  }
  REQUIRE(called < watched.size());
  CHECK(rpc.server->queued_bytes() < kBound + 2 * kValue);
  for (std::size_t i = called; i < watched.size(); ++i) watched[i]->line->when_room();
  settle(rpc.loop);
  CHECK(watched[called]->rooms == 0);
  // It reads at last.
  while (watched.back()->rooms == 0) {
    auto received = stranger.stream().receive({});
    settle(rpc.loop);
    if (received.poll(rpc.loop.wait_scope())) wait_for(rpc.loop, kj::mv(received).ignoreResult());
  }
  for (std::size_t i = called; i < watched.size(); ++i) CHECK(watched[i]->rooms == 1);
}

TEST_CASE("a stranger's mutated watches and answers end its connection at most") {
  Random random(4711);
  Rpc rpc(Route::kDirect);
  std::string bytes = [] {
    capnp::MallocMessageBuilder bootstrap;
    bootstrap.initRoot<protocol::Message>().initBootstrap().setQuestionId(0);
    capnp::MallocMessageBuilder door;
    write_config_call(door, 1);
    return bytes_of(bootstrap) + bytes_of(door);
  }();
  {
    Stranger stranger(rpc);
    capnp::MallocMessageBuilder watch;
    stranger.write_watch(watch, 2, 7);
    capnp::MallocMessageBuilder answer;
    init_return(answer, kFirstDirectNumber + 1).initResults();
    bytes += bytes_of(watch) + bytes_of(answer) + bytes_of(answer);
    settle(rpc.loop);
  }
  const auto call = telling(1);
  for (int round = 0; round < 200; ++round) {
    RawPeer peer(rpc.loop, rpc.listener->endpoint());
    std::string changed = bytes;
    for (std::uint64_t flips = random.below(6); flips > 0; --flips) {
      changed[random.below(changed.size())] ^= static_cast<char>(1 << random.below(8));
    }
    peer.write(changed.substr(0, random.between(1, changed.size())));
    settle(rpc.loop);
    if (rpc.calls.watched && rpc.calls.watched->line) rpc.calls.watched->line->call(*call);
    settle(rpc.loop);
  }
  rpc.connect_client();
  wait_for(rpc.loop, rpc.get(1).ignoreResult());
}

}  // namespace
}  // namespace holdfast::net::test
