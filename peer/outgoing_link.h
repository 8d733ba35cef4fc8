#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "net/alarm.h"
#include "net/connect.h"
#include "net/framed_stream.h"
#include "peer/context.h"

namespace holdfast::peer {

/// The connection on which this member sends to one other. It dials until it is destroyed.
///
///     pausing --alarm--> dialling --socket--> greeting --Hello--> connected
///        ^                  |                    |                    |
///        +---- refused, error, deadline ---------+---- end, error ----+
///
/// Nothing but signs of life is received on it after the Hello. It ends when they do not come: the network
/// may have forgotten a connection that both kernels believe in.
class OutgoingLink {
 public:
  OutgoingLink(Context& context, Peer peer, Random random);

  void start();
  /// Queues the message, or drops it: while not connected, or while too much is queued.
  void send(const raft::Message& message);
  /// The member has just shown that it is up: does not let a long pause run out.
  void hurry();

  /// The record of the member's data id has changed. A connection to another one is given up.
  void know(const std::string& data_id);

  const Peer& peer() const { return peer_; }
  bool connected() const { return state_ == State::kConnected; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  enum class State { kPausing, kDialling, kGreeting, kConnected };

  void dial();
  void on_dialled(Result<net::Socket> socket);
  void on_greeting();
  void on_hello(const Hello& answer);
  void on_refusal(const Refusal& refusal);
  void on_answer();
  void on_interval();
  void give_up(const std::string& reason);
  void pause();

  Context& context_;
  Peer peer_;                  // its data id may come to be known
  std::string shown_data_id_;  // on the connection there is
  Random random_;

  State state_ = State::kPausing;
  net::Alarm alarm_;  // the end of the pause, the handshake's deadline, or the interval's end
  std::optional<net::Connector> connector_;
  std::optional<net::FramedStream> stream_;
  milliseconds next_pause_;
  int silent_intervals_ = 0;
  bool refused_ = false;  // by its last answer
  std::uint64_t dropped_ = 0;
};

}  // namespace holdfast::peer
