#include "net/connect.h"

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <string>
#include <utility>
#include <vector>

#include "net/resolve.h"

namespace holdfast::net {

class Connector::State : public std::enable_shared_from_this<State> {
 public:
  State(EventLoop& loop, const Endpoint& endpoint, milliseconds timeout, Callback<void(Result<Socket>)> done)
      : endpoint_(endpoint),
        timeout_(timeout),
        resolver_(loop.io()),
        socket_(loop.io()),
        deadline_(loop.io()),
        done_(std::move(done)) {}

  void start();
  void abandon();

 private:
  void connect_to(std::vector<asio::ip::tcp::endpoint> addresses);
  void finish(Result<Socket> result);
  void fail_because(const std::string& reason);

  const Endpoint endpoint_;
  const milliseconds timeout_;
  asio::ip::tcp::resolver resolver_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer deadline_;
  Callback<void(Result<Socket>)> done_;  // empty: nobody waits any more
};

void Connector::State::start() {
  deadline_.expires_after(timeout_);
  deadline_.async_wait([self = shared_from_this()](asio::error_code error) {
    if (!error) {
      self->fail_because("no answer within " + std::to_string(self->timeout_.count()) + " ms");
    }
  });
  asio::error_code not_numeric;
  const auto address = asio::ip::make_address(endpoint_.host, not_numeric);
  if (!not_numeric) {
    return connect_to({asio::ip::tcp::endpoint(address, endpoint_.port)});
  }
  resolver_.async_resolve(
      endpoint_.host, std::to_string(endpoint_.port),
      [self = shared_from_this()](asio::error_code error, asio::ip::tcp::resolver::results_type found) {
        if (!self->done_) {
          return;
        }
        if (error) {
          return self->fail_because("the name has no address: " + reason_of(error));
        }
        self->connect_to(std::vector<asio::ip::tcp::endpoint>(found.begin(), found.end()));
      });
}

void Connector::State::connect_to(std::vector<asio::ip::tcp::endpoint> addresses) {
  // asio keeps its own copy of the addresses until the handler has run.
  asio::async_connect(socket_, addresses,
                      [self = shared_from_this()](asio::error_code error, const asio::ip::tcp::endpoint&) {
                        if (!self->done_) {
                          return;
                        }
                        if (error) {
                          return self->fail_because(reason_of(error));
                        }
                        self->finish(Socket(std::move(self->socket_)));
                      });
}

void Connector::State::fail_because(const std::string& reason) {
  finish(fail(Errc::kUnavailable, "cannot connect to " + endpoint_.to_string() + ": " + reason));
}

void Connector::State::finish(Result<Socket> result) {
  auto done = std::exchange(done_, {});
  abandon();
  if (done) {
    done(std::move(result));
  }
}

void Connector::State::abandon() {
  done_ = {};
  deadline_.cancel();
  resolver_.cancel();
  asio::error_code ignored;
  socket_.close(ignored);
}

Connector::Connector(EventLoop& loop, const Endpoint& endpoint, milliseconds timeout,
                     Callback<void(Result<Socket>)> done)
    : state_(std::make_shared<State>(loop, endpoint, timeout, std::move(done))) {
  state_->start();
}

Connector::~Connector() { state_->abandon(); }

namespace {

/// Gives up when its promise is dropped.
class PromisedConnection {
 public:
  PromisedConnection(kj::PromiseFulfiller<kj::Own<MessageStream>>& fulfiller, EventLoop& loop,
                     const Endpoint& endpoint, milliseconds timeout, FramedStreamOptions options)
      : connector_(loop, endpoint, timeout, [&fulfiller, options](Result<Socket> socket) {
          if (socket) {
            fulfiller.fulfill(kj::heap<MessageStream>(std::move(*socket), options));
          } else {
            fulfiller.reject(
                kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                              kj::heapString(socket.error().message.data(), socket.error().message.size())));
          }
        }) {}

 private:
  Connector connector_;
};

}  // namespace

kj::Promise<kj::Own<MessageStream>> connect(EventLoop& loop, const Endpoint& endpoint, milliseconds timeout,
                                            FramedStreamOptions options) {
  return kj::newAdaptedPromise<kj::Own<MessageStream>, PromisedConnection>(loop, endpoint, timeout, options);
}

}  // namespace holdfast::net
