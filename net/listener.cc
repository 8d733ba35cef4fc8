#include "net/listener.h"

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "net/resolve.h"

namespace holdfast::net {
namespace {

constexpr std::chrono::milliseconds kPauseAfterFailure{100};
constexpr std::chrono::seconds kBetweenWarnings{10};
constexpr int kBacklog = 1024;

}  // namespace

class Listener::State : public std::enable_shared_from_this<State> {
 public:
  State(EventLoop& loop, Options options, Callback<void(Socket)> accepted)
      : loop_(loop),
        acceptor_(loop.io()),
        pause_(loop.io()),
        options_(options),
        accepted_(std::move(accepted)) {}

  asio::error_code open(const asio::ip::tcp::endpoint& endpoint);
  void accept();
  void stop();

  Endpoint endpoint_;
  // Owners: this state and every accepted socket; the sockets' share is the count of connections.
  std::shared_ptr<int> slots_ = std::make_shared<int>(0);

 private:
  void on_accept(asio::error_code error, asio::ip::tcp::socket socket);
  void rest_then_accept();
  void warn(std::string_view event, const std::string& reason);

  EventLoop& loop_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  const Options options_;
  Callback<void(Socket)> accepted_;
  bool stopped_ = false;
  Instant next_warning_{};
};

asio::error_code Listener::State::open(const asio::ip::tcp::endpoint& endpoint) {
  asio::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    // A restart must not wait for the last run's connections to leave TIME_WAIT.
    acceptor_.set_option(asio::ip::tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(kBacklog, error);
  }
  if (!error) {
    const auto bound = acceptor_.local_endpoint(error);
    endpoint_ = Endpoint{bound.address().to_string(), bound.port()};
  }
  return error;
}

void Listener::State::accept() {
  acceptor_.async_accept([self = shared_from_this()](asio::error_code error, asio::ip::tcp::socket socket) {
    self->on_accept(error, std::move(socket));
  });
}

void Listener::State::on_accept(asio::error_code error, asio::ip::tcp::socket socket) {
  if (stopped_) {
    return;
  }
  if (error == asio::error::connection_aborted) {
    return accept();  // the peer gave up before we took it
  }
  if (error) {
    warn("accept_failed", error.message());
    return rest_then_accept();
  }
  if (static_cast<std::size_t>(slots_.use_count() - 1) >= options_.max_connections) {
    warn("connection_refused", "there are " + std::to_string(options_.max_connections) +
                                   " connections already, the most this node takes");
    asio::error_code ignored;
    socket.close(ignored);
    return accept();
  }
  // Held here while it runs: it may destroy the listener.
  auto accepted = std::exchange(accepted_, {});
  accepted(Socket(std::move(socket), slots_));
  if (!stopped_) {
    accepted_ = std::move(accepted);
    accept();
  }
}

void Listener::State::rest_then_accept() {
  // Most likely descriptors ran out: the connection stays in the kernel's queue and would be reported again
  // at once, for ever.
  pause_.expires_after(kPauseAfterFailure);
  pause_.async_wait([self = shared_from_this()](asio::error_code) {
    if (!self->stopped_) {
      self->accept();
    }
  });
}

void Listener::State::warn(std::string_view event, const std::string& reason) {
  const Instant now = loop_.now();
  if (options_.logging == nullptr || now < next_warning_) {
    return;
  }
  next_warning_ = now + kBetweenWarnings;
  options_.logging->write(LogLevel::kWarn, event, {{"listen", endpoint_.to_string()}, {"reason", reason}});
}

void Listener::State::stop() {
  stopped_ = true;
  accepted_ = {};
  asio::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, const Endpoint& endpoint, Options options,
                                                 Callback<void(Socket)> accepted) {
  const auto address = resolve_to_listen(loop.io(), endpoint);
  if (!address) {
    return fail(Errc::kUnavailable,
                "cannot listen on " + endpoint.to_string() + ": " + address.error().message);
  }
  auto state = std::make_shared<State>(loop, options, std::move(accepted));
  if (const asio::error_code error = state->open(*address)) {
    return fail(Errc::kUnavailable, "cannot listen on " + endpoint.to_string() + ": " + reason_of(error));
  }
  state->accept();
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() { state_->stop(); }

const Endpoint& Listener::endpoint() const { return state_->endpoint_; }
std::size_t Listener::connections() const { return static_cast<std::size_t>(state_->slots_.use_count() - 1); }

}  // namespace holdfast::net
