#include "tests/chaos/fault_proxy.h"

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <deque>
#include <list>
#include <map>
#include <utility>

#include "base/random.h"

namespace holdfast::chaos {

namespace {

using asio::ip::tcp;
using Clock = asio::steady_timer::clock_type;
using Route = std::pair<std::string, std::string>;  // from, to

constexpr std::size_t kChunkBytes = 16 * 1024;
// Beyond this a pipe stops reading, as a network's buffers would.
constexpr std::size_t kMostQueuedBytes = 256 * 1024;
// Of the sockets' own, so that whoever talks to a forgotten connection soon finds that nothing is taken any
// more, as he would with a host that is gone: here the kernel goes on acknowledging until its buffer is full.
constexpr int kReceiveBufferBytes = 8 * 1024;

tcp::endpoint on_loopback(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

}  // namespace

/// What all doors share; touched on the proxy's thread only.
class FaultProxy::State : public std::enable_shared_from_this<FaultProxy::State> {
 public:
  explicit State(std::uint64_t seed) : random(seed) {}

  const Rule& rule(const Route& route) const {
    static const Rule pass;
    const auto found = rules.find(route);
    return found == rules.end() ? pass : found->second;
  }
  void each(const Route& route, const std::function<void(Connection&)>& act);

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  Random random;
  std::map<Route, Rule> rules;
  std::list<std::shared_ptr<Door>> doors;            // owners: this list, and the door's own handlers
  std::list<std::weak_ptr<Connection>> connections;  // each is owned by its handlers
};

/// One direction of a connection.
class FaultProxy::Pipe {
 public:
  Pipe(State& state, tcp::socket& from, tcp::socket& to)
      : state_(state), from_(from), to_(to), timer_(state.io) {}

  void start(std::weak_ptr<Connection> owner, Route route, bool there) {
    owner_ = std::move(owner);
    route_ = std::move(route);
    there_ = there;
    read();
  }
  /// The rule may have changed.
  void kick() {
    timer_.cancel();
    write();
  }
  void close() { timer_.cancel(); }

 private:
  struct Chunk {
    Clock::time_point due;
    std::vector<char> bytes;  // empty: the sender has said its last word
  };

  bool is_held() const;
  void read();
  void write();
  void arrived(std::size_t count);

  State& state_;
  tcp::socket& from_;
  tcp::socket& to_;
  asio::steady_timer timer_;
  std::weak_ptr<Connection> owner_;
  Route route_;
  bool there_ = true;
  std::array<char, kChunkBytes> buffer_{};
  std::deque<Chunk> queue_;
  std::size_t queued_bytes_ = 0;
  Clock::time_point last_due_{};
  bool reading_ = false;
  bool writing_ = false;
  bool at_end_ = false;
};

class FaultProxy::Connection : public std::enable_shared_from_this<FaultProxy::Connection> {
 public:
  Connection(State& state, tcp::socket dialler, Route route, std::uint16_t target)
      : state_(state),
        dialler_(std::move(dialler)),
        target_(state.io),
        route_(std::move(route)),
        target_port_(target),
        there_(state, dialler_, target_),
        back_(state, target_, dialler_) {}

  const Route& route() const { return route_; }
  bool forgotten() const { return forgotten_; }

  void apply() {
    const Rule& rule = state_.rule(route_);
    if (rule.refuse) return close(true);
    if (!dialled_ && !(rule.hold_there && rule.hold_back)) dial();
    if (passing_) there_.kick(), back_.kick();
  }

  void forget() { forgotten_ = true; }

  void close(bool reset) {
    asio::error_code ignored;
    for (tcp::socket* socket : {&dialler_, &target_}) {
      if (reset && socket->is_open()) socket->set_option(asio::socket_base::linger(true, 0), ignored);
      socket->close(ignored);
    }
    there_.close();
    back_.close();
    kept_.reset();
  }

  /// Until it is dialled, or while nothing of it is in flight, it owns itself.
  void keep() { kept_ = shared_from_this(); }

 private:
  void dial() {
    dialled_ = true;
    target_.open(tcp::v4());
    target_.set_option(asio::socket_base::receive_buffer_size(kReceiveBufferBytes));
    target_.async_connect(on_loopback(target_port_), [self = shared_from_this()](asio::error_code error) {
      if (error) return self->close(true);
      asio::error_code ignored;
      self->target_.set_option(tcp::no_delay(true), ignored);
      self->dialler_.set_option(tcp::no_delay(true), ignored);
      self->passing_ = true;
      self->there_.start(self, self->route_, true);
      self->back_.start(self, self->route_, false);
    });
  }

  State& state_;
  tcp::socket dialler_;
  tcp::socket target_;
  const Route route_;
  const std::uint16_t target_port_;
  Pipe there_;
  Pipe back_;
  bool dialled_ = false;
  bool passing_ = false;
  bool forgotten_ = false;
  std::shared_ptr<Connection> kept_;  // itself, until it is closed
};

class FaultProxy::Door : public std::enable_shared_from_this<FaultProxy::Door> {
 public:
  Door(State& state, std::string to, std::uint16_t target, Origin origin)
      : state_(state),
        acceptor_(state.io, on_loopback(0)),
        to_(std::move(to)),
        target_(target),
        origin_(std::move(origin)) {
    acceptor_.set_option(asio::socket_base::receive_buffer_size(kReceiveBufferBytes));
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](asio::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) self->welcome(std::move(socket));
      self->accept();
    });
  }

 private:
  void welcome(tcp::socket socket) {
    asio::error_code error;
    const auto remote = socket.remote_endpoint(error);
    if (error) return;
    auto connection =
        std::make_shared<Connection>(state_, std::move(socket), Route{origin_(remote.port()), to_}, target_);
    connection->keep();
    state_.connections.remove_if([](const auto& one) { return one.expired(); });
    state_.connections.push_back(connection);
    connection->apply();
  }

  State& state_;
  tcp::acceptor acceptor_;
  const std::string to_;
  const std::uint16_t target_;
  const Origin origin_;
};

bool FaultProxy::Pipe::is_held() const {
  const Rule& rule = state_.rule(route_);
  const auto owner = owner_.lock();
  return (there_ ? rule.hold_there : rule.hold_back) || (owner && owner->forgotten());
}

void FaultProxy::Pipe::read() {
  if (reading_ || at_end_ || queued_bytes_ >= kMostQueuedBytes) return;
  const auto owner = owner_.lock();
  if (!owner || owner->forgotten()) return;
  reading_ = true;
  from_.async_read_some(asio::buffer(buffer_), [this, owner](asio::error_code error, std::size_t count) {
    reading_ = false;
    if (error == asio::error::eof) count = 0;
    if (error && error != asio::error::eof) return owner->close(true);
    arrived(count);
    write();
    read();
  });
}

void FaultProxy::Pipe::arrived(std::size_t count) {
  const Rule& rule = state_.rule(route_);
  auto due = std::max(Clock::now() + rule.delay, last_due_);
  if (rule.jitter.count() > 0) {
    due += Duration(state_.random.below(static_cast<std::uint64_t>(rule.jitter.count())));
  }
  if (rule.bytes_a_second > 0) due += Duration(1'000'000 * count / rule.bytes_a_second);
  last_due_ = due;
  at_end_ = count == 0;
  queued_bytes_ += count;
  queue_.push_back(
      {due, std::vector<char>(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(count))});
}

void FaultProxy::Pipe::write() {
  const auto owner = owner_.lock();
  if (!owner || writing_ || queue_.empty() || is_held()) return;
  if (queue_.front().due > Clock::now()) {
    timer_.expires_at(queue_.front().due);
    timer_.async_wait([this, owner](asio::error_code error) {
      if (!error) write();
    });
    return;
  }
  if (queue_.front().bytes.empty()) {
    // With one side gone the other has nobody to talk to; both of Holdfast's protocols need both directions.
    return owner->close(false);
  }
  writing_ = true;
  asio::async_write(to_, asio::buffer(queue_.front().bytes),
                    [this, owner](asio::error_code error, std::size_t) {
                      writing_ = false;
                      if (error) return owner->close(true);
                      queued_bytes_ -= queue_.front().bytes.size();
                      queue_.pop_front();
                      write();
                      read();
                    });
}

void FaultProxy::State::each(const Route& route, const std::function<void(Connection&)>& act) {
  const auto all = connections;
  for (const auto& weak : all) {
    if (const auto one = weak.lock(); one && one->route() == route && !one->forgotten()) act(*one);
  }
}

FaultProxy::FaultProxy(std::uint64_t seed)
    : state_(std::make_shared<State>(seed)), thread_([state = state_] { state->io.run(); }) {}

FaultProxy::~FaultProxy() {
  asio::post(state_->io, [state = state_] {
    for (const auto& weak : state->connections) {
      if (const auto one = weak.lock()) one->close(true);
    }
    state->connections.clear();
    state->doors.clear();
    state->io.stop();
  });
  thread_.join();
}

std::uint16_t FaultProxy::open_door(const std::string& to, std::uint16_t target_port, Origin origin) {
  auto door = std::make_shared<Door>(*state_, to, target_port, std::move(origin));
  const std::uint16_t port = door->port();
  asio::post(state_->io, [state = state_, door] {
    state->doors.push_back(door);
    door->accept();
  });
  return port;
}

void FaultProxy::set(const std::string& from, const std::string& to, Rule rule) {
  asio::post(state_->io, [state = state_, route = Route{from, to}, rule] {
    state->rules[route] = rule;
    state->each(route, [](Connection& one) { one.apply(); });
  });
}

void FaultProxy::reset(const std::string& from, const std::string& to) {
  asio::post(state_->io, [state = state_, route = Route{from, to}] {
    state->each(route, [](Connection& one) { one.close(true); });
  });
}

void FaultProxy::forget(const std::string& from, const std::string& to) {
  asio::post(state_->io, [state = state_, route = Route{from, to}] {
    state->each(route, [](Connection& one) { one.forget(); });
  });
}

void FaultProxy::heal(bool reset) {
  asio::post(state_->io, [state = state_, reset] {
    for (const auto& [route, rule] : std::exchange(state->rules, {})) {
      state->each(route, [reset](Connection& one) { reset ? one.close(true) : one.apply(); });
    }
  });
}

}  // namespace holdfast::chaos
