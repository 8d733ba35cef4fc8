#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "base/endpoint.h"
#include "bench/compare/zookeeper/wire.h"

namespace holdfast::bench::zookeeper {

/// One session on one connection. Requests are gathered until flush(); answers are handed out by receive(),
/// in the order of their requests.
class Session {
 public:
  /// Told the error (0: none) and what the answer holds.
  using Reply = std::function<void(std::int32_t error, Reader body)>;

  /// Connects and opens the session. Throws std::runtime_error.
  explicit Session(const Endpoint& endpoint);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void send(Kind kind, std::string_view body, Reply reply);
  /// `then` is told once of the next event of a watch on `path`, which the server has been, or is being,
  /// asked for.
  void on_event(const std::string& path, std::function<void()> then) {
    watches_.emplace(path, std::move(then));
  }
  /// Throws std::runtime_error if the connection is lost, as does receive().
  void flush();
  void receive();
  int descriptor() const { return descriptor_; }

 private:
  void write(std::string_view text);
  std::string read_message();
  void hand_out(std::string_view message);

  const int descriptor_;
  std::string outgoing_;
  std::string incoming_;
  std::int32_t last_request_ = 0;
  std::deque<Reply> waiting_;
  std::deque<Reply> pings_;  // their answers come in their own order
  std::multimap<std::string, std::function<void()>> watches_;
};

}  // namespace holdfast::bench::zookeeper
