#include "client/runtime.h"

#include <algorithm>
#include <random>

#include "base/endpoint.h"

namespace holdfast::sdk {

namespace {
/// How long a client that is closed goes on telling the service what it gives up.
constexpr milliseconds kFarewell{2000};

std::optional<client::Error> refuse(std::string message) {
  return client::Error{client::Errc::kInvalidArgument, std::move(message)};
}
}  // namespace

Runtime::Runtime(client::Options options) : options_(std::move(options)) {}

Runtime::~Runtime() { close(); }

void Runtime::post(Callback<void(Engine&)> task) {
  thread_.post([this, task = std::move(task)]() mutable { task(*engine_); });
}

std::optional<client::Error> Runtime::begin() {
  if (thread_.is_current()) {
    return refuse(
        "a call that waits was made from a callback on the client's own thread; set Options.executor");
  }
  std::call_once(started_, [this]() { refused_ = start(); });
  return refused_;
}

std::optional<client::Error> Runtime::start() {
  if (options_.endpoints.empty()) {
    return refuse("Options.endpoints is empty: name at least one member as \"host:port\"");
  }
  for (const auto& text : options_.endpoints) {
    if (auto endpoint = parse_endpoint(text); !endpoint) {
      return refuse(endpoint.error().message);
    }
  }
  if (options_.connect_timeout <= milliseconds(0) || options_.call_timeout <= milliseconds(0)) {
    return refuse("Options.connect_timeout and Options.call_timeout must be more than zero");
  }
  std::random_device device;
  std::uint64_t seed = (static_cast<std::uint64_t>(device()) << 32) | device();
  thread_.start([this, seed](net::EventLoop& loop) {
    Engine engine(loop, options_, seed);
    engine_ = &engine;
    loop.run();
    engine_ = nullptr;
  });
  return std::nullopt;
}

client::Error Runtime::cut_short(Errc code) const {
  return sdk::to_public(Error{code, "the client was closed while the call waited", {}});
}

void Runtime::close() {
  std::call_once(closed_, [this]() {
    // A client that was never used is not started to be closed.
    std::call_once(started_, [this]() {
      refused_ = client::Error{client::Errc::kCancelled, "the client is closed"};
    });
    std::promise<void> closed;
    auto waiting = closed.get_future();
    thread_.post([this, closed = std::move(closed)]() mutable {
      auto limit = std::min<Duration>(kFarewell, options_.call_timeout);
      auto said = std::make_shared<std::promise<void>>(std::move(closed));  // owners: the task alone
      engine_->spawn(engine_->close(limit).then([said]() { said->set_value(); }));
    });
    waiting.wait();
    thread_.stop();
  });
}

}  // namespace holdfast::sdk
