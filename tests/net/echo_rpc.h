#pragma once

#include <capnp/serialize.h>

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/direct_line.h"

#include "tests/net/loopback.h"

namespace holdfast::net::test {

/// A watcher that the service was given: lives as long as the handle that it returned.
struct Watched final : DirectLine::Listener {
  Watched(capnp::Capability::Client watcher, Watched*& place_in)
      : line(DirectLine::to(kj::mv(watcher), *this)), place(place_in) {
    place = this;
  }
  ~Watched() {
    if (place == this) place = nullptr;
  }
  KJ_DISALLOW_COPY(Watched);

  void answered(kj::Maybe<kj::Exception> failure, capnp::AnyPointer::Reader) override {
    ++answers;
    KJ_IF_MAYBE (exception, failure) {
      failures.push_back(kj::mv(*exception));
    }
  }
  void room() override { ++rooms; }

  int answers = 0;
  int rooms = 0;
  std::vector<kj::Exception> failures;
  std::unique_ptr<DirectLine> line;  // null: the watcher is the RPC system's
  Watched*& place;
};

class EchoHandle final : public schema::Handle::Server {
 public:
  EchoHandle(capnp::Capability::Client watcher, Watched*& place) : watched_(kj::mv(watcher), place) {}

 private:
  Watched watched_;
};

/// Answers get() with as many bytes as the limit says; parks put() until told; keeps the watcher of watch().
class EchoConfig final : public schema::Config::Server {
 public:
  struct Calls {
    int gets = 0;
    int puts = 0;
    int puts_over = 0;           // answered or cancelled
    int direct = 0;              // of all of them, those past the RPC system
    Watched* watched = nullptr;  // the last, if its handle is held
    std::vector<kj::Own<kj::PromiseFulfiller<void>>> parked;
  };
  explicit EchoConfig(Calls& calls) : calls_(calls) {}

  kj::Promise<void> get(GetContext context) override {
    ++calls_.gets;
    const auto size = context.getParams().getGet().getLimit();
    auto range = context.getResults().initOutcome().initOk();
    range.setCount(size);
    range.initEntries(1)[0].initValue(static_cast<unsigned>(size));
    return kj::READY_NOW;
  }
  kj::Promise<void> put(PutContext context) override {
    ++calls_.puts;
    context.allowCancellation();
    auto parked = kj::newPromiseAndFulfiller<void>();
    calls_.parked.push_back(kj::mv(parked.fulfiller));
    return parked.promise.attach(kj::defer([&calls = calls_] { ++calls.puts_over; }));
  }
  kj::Promise<void> watch(WatchContext context) override {
    context.getResults().initOutcome().initOk().setHandle(
        kj::heap<EchoHandle>(context.getParams().getWatcher(), calls_.watched));
    return kj::READY_NOW;
  }

 private:
  Calls& calls_;
};

/// The bootstrap, and the one service that it has: an EchoConfig.
class EchoDoor final : public schema::Holdfast::Server {
 public:
  explicit EchoDoor(EchoConfig::Calls& calls) : calls_(calls) {}

  kj::Promise<void> config(ConfigContext context) override {
    context.getResults().setConfig(kj::heap<EchoConfig>(calls_));
    return kj::READY_NOW;
  }

 private:
  EchoConfig::Calls& calls_;
};

class EchoServices final : public Services {
 public:
  explicit EchoServices(EchoConfig::Calls& calls) : calls_(calls) {}

  std::uint64_t bootstrap_interface() const override { return capnp::typeId<schema::Holdfast>(); }
  kj::Maybe<Service> service(std::uint16_t method) override {
    if (method != 1) return nullptr;
    return Service(kj::heap<EchoConfig>(calls_));
  }
  kj::Promise<void> dispatch(capnp::Capability::Server& service, std::uint64_t interface_id,
                             std::uint16_t method, capnp::CallContextHook& context,
                             DirectCall& call) override {
    ++calls_.direct;
    auto answered = service.dispatchCall(interface_id, method,
                                         capnp::CallContext<capnp::AnyPointer, capnp::AnyPointer>(context));
    if (method == 1) call.fulfill();
    return kj::mv(answered.promise);
  }

 private:
  EchoConfig::Calls& calls_;
};

inline std::string bytes_of(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  return {reinterpret_cast<const char*>(words.begin()), words.asBytes().size()};
}

/// Asks the bootstrap, which is what question 0 returns, for the service.
inline void write_config_call(capnp::MessageBuilder& message, std::uint32_t question) {
  auto call = message.initRoot<capnp::rpc::Message>().initCall();
  call.setQuestionId(question);
  call.initTarget().initPromisedAnswer().setQuestionId(0);
  call.setInterfaceId(capnp::typeId<schema::Holdfast>());
  call.setMethodId(1);
  call.initParams().getContent().initAs<schema::Holdfast::ConfigParams>();
}

/// At the service that `question` returns.
inline void aim_at_service(capnp::rpc::Call::Builder call, std::uint32_t question) {
  auto answer = call.initTarget().initPromisedAnswer();
  answer.setQuestionId(question);
  answer.initTransform(1)[0].setGetPointerField(0);
}

/// Whether calls go past the RPC system where they arrive, and where they are made.
enum class Route { kRpcSystem, kDirect, kDirectBoth };

/// A server with one connection at most, and a client of it.
struct Rpc {
  explicit Rpc(Route route_in, RpcLimits server_limits = {}, FramedStreamOptions server_stream = {})
      : route(route_in) {
    auto opened = Listener::open(loop, kAnyPort, {}, [this, server_limits, server_stream](Socket socket) {
      Offer offer(kj::heap<EchoDoor>(calls));
      if (route != Route::kRpcSystem) offer.services = kj::Own<Services>(kj::heap<EchoServices>(calls));
      server = kj::heap<RpcConnection>(kj::heap<MessageStream>(std::move(socket), server_stream),
                                       kj::mv(offer), server_limits);
    });
    REQUIRE(opened);
    listener = std::move(*opened);
  }

  kj::Own<MessageStream> dial(FramedStreamOptions options = {}) {
    return wait_for(loop, connect(loop, listener->endpoint(), kSoon, options));
  }
  void connect_client(FramedStreamOptions options = {}) {
    client = kj::heap<RpcConnection>(dial(options));
    ask_for_config();
  }
  /// The service, by another capability each time.
  void ask_for_config() {
    config = client->bootstrap().castAs<schema::Holdfast>().configRequest().send().getConfig();
    if (route != Route::kDirectBoth) return;
    const DirectCaller::Place place{capnp::typeId<schema::Holdfast>(), 1};
    config = client->direct_caller().service(place).castAs<schema::Config>();
  }
  auto get(std::uint64_t size) {
    auto request = config->getRequest();
    request.initGet().setLimit(size);
    return request.send();
  }

  const Route route;
  EventLoop loop;
  EchoConfig::Calls calls;
  std::unique_ptr<Listener> listener;
  kj::Own<RpcConnection> server;
  kj::Own<RpcConnection> client;
  std::optional<schema::Config::Client> config;
};

}  // namespace holdfast::net::test
