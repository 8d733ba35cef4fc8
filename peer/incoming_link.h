#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/alarm.h"
#include "net/framed_stream.h"
#include "net/socket.h"
#include "peer/context.h"

namespace holdfast::peer {

/// An accepted connection, on which this member receives from one other.
///
///     greeting --Hello--> welcome --end, error, anything that is not a message from that member--> closed
///         \---not liked (after a Refusal), deadline, garbage--> closed
///
/// While bytes come it says so every interval; when none come for several, it is over as well.
///
/// Whatever comes in, it ends at most this connection.
class IncomingLink {
 public:
  struct Owner {
    virtual ~Owner() = default;
    virtual const std::vector<Peer>& peers() const = 0;
    /// The handshake succeeded. May destroy other links, not this one.
    virtual void welcomed(IncomingLink& link) = 0;
    /// It is over: destroys the link.
    virtual void closed(IncomingLink& link) = 0;
  };

  IncomingLink(Context& context, Owner& owner, net::Socket socket);

  /// None before the handshake.
  MemberId member() const { return member_; }
  /// Where it comes from.
  const std::string& host() const { return stream_.remote().host; }
  /// What it said in the handshake.
  const Hello& greeting() const { return greeting_; }

 private:
  void on_greeting();
  void on_hello(const Hello& hello);
  void reply_refusal(const Hello& hello, const Refusal& refusal);
  void on_messages();
  void on_interval();
  std::uint64_t arrivals() const { return counters_.read_calls + counters_.frames_read; }
  void close(const std::string& reason);

  Context& context_;
  Owner& owner_;
  net::StreamCounters counters_;  // outlives the stream
  net::FramedStream stream_;
  net::Alarm alarm_;  // the handshake's deadline, the goodbye's, or the interval's end
  std::uint64_t arrivals_before_ = 0;
  int silent_intervals_ = 0;
  MemberId member_;
  std::string name_;
  Hello greeting_;
};

}  // namespace holdfast::peer
