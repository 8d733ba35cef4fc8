#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "base/endpoint.h"
#include "base/time.h"
#include "bench/compare/socket.h"
#include "bench/compare/zookeeper/wire.h"

namespace holdfast::bench::zookeeper {

/// One session on one connection. Requests are gathered until flush(); answers are handed out by receive(),
/// in the order of their requests.
class Session final : public Connection {
 public:
  /// Told the error (0: none) and what the answer holds.
  using Reply = std::function<void(std::int32_t error, Reader body)>;

  /// Connects and opens the session. Throws std::runtime_error if the server does not within `patience`.
  Session(const Endpoint& endpoint, milliseconds patience);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void send(Kind kind, std::string_view body, Reply reply);
  /// `then` is told once of the next event of a watch on `path`, which the server has been, or is being,
  /// asked for.
  void on_event(const std::string& path, std::function<void()> then) {
    watches_.emplace(path, std::move(then));
  }
  void flush() override;
  void receive() override;
  int descriptor() const override { return socket_.descriptor(); }

 private:
  void hand_out(std::string_view message);
  void on_opened(Reader answer);
  void on_event(Reader event);

  Socket socket_;
  bool opened_ = false;
  std::string outgoing_;
  std::string incoming_;
  std::int32_t last_request_ = 0;
  std::deque<Reply> waiting_;
  std::deque<Reply> pings_;  // their answers come in their own order
  std::multimap<std::string, std::function<void()>> watches_;
};

}  // namespace holdfast::bench::zookeeper
