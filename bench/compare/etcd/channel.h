#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "bench/compare/socket.h"

struct nghttp2_session;

namespace holdfast::bench::etcd {

/// gRPC over one HTTP/2 connection to one member: as many calls at once as are asked for. Throws
/// std::runtime_error when the connection is lost, or the member says that it will be.
class Channel final : public Connection {
 public:
  /// Told a message of the other side; it holds during the call.
  using OnMessage = std::function<void(std::string_view message)>;
  /// Told once that a stream has ended: why it failed, nothing if its status is OK.
  using OnEnd = std::function<void(const std::string& why)>;
  /// Told the answer, or why there is none.
  using OnAnswer = std::function<void(const std::string& why, std::string_view answer)>;
  using StreamId = std::int32_t;

  /// Connects, and waits until the member has greeted.
  Channel(const Endpoint& endpoint, milliseconds patience);
  /// On a connection that is there; nothing is awaited.
  Channel(int connected, std::string authority);
  ~Channel() override;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// One message there, `framed` behind its prefix, and one back. `method` must outlive the channel.
  void call(std::string_view method, std::string_view framed, OnAnswer on_answer);
  /// Messages in both directions.
  StreamId open(std::string_view method, OnMessage on_message, OnEnd on_end);
  /// Nothing comes of what is sent on a stream that has ended.
  void send(StreamId stream, std::string_view framed);

  void flush() override;
  void receive() override;
  int descriptor() const override { return socket_.descriptor(); }

 private:
  struct Stream;
  struct Callbacks;

  void begin();
  Stream& idle();
  void start(std::string_view method, Stream& stream);

  Socket socket_;
  const std::string authority_;
  std::vector<std::unique_ptr<Stream>> all_;      // in use or not: each serves one call after the other
  std::vector<Stream*> idle_;                     // of all_
  std::unordered_map<StreamId, Stream*> opened_;  // those of open() that have not ended
  bool greeted_ = false;
  bool leaving_ = false;  // the member has said so
  std::string outgoing_;
  const std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)> session_;
};

}  // namespace holdfast::bench::etcd
