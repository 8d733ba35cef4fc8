#pragma once

#include "base/callback.h"
#include "base/limits.h"
#include "base/logging.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "peer/handshake.h"
#include "peer/repeated_lines.h"
#include "raft/messages.h"

namespace holdfast::peer {

struct Timing {
  milliseconds connect_timeout{1000};
  milliseconds handshake_timeout{2000};
  milliseconds least_pause{50};       ///< before dialling again; doubles...
  milliseconds most_pause{1000};      ///< ...up to this
  milliseconds stall_timeout{4000};   ///< a connection that takes no bytes for so long is given up
  milliseconds alive_interval{1000};  ///< between two signs of life
};

/// A connection is given up after so many intervals without a sign of life. Counted, not measured: a process
/// that was stopped, or starved, has heard nothing for long and finds it all in its sockets.
constexpr int kMostSilentIntervals = 4;

/// What a transport tells. Called on the loop, never inside a call of the transport; a callback must not
/// destroy the transport.
struct Events {
  Callback<void(raft::Message)> received;
  /// This member can now send to `member`, which showed this data id, which clients reach at the endpoint,
  /// and which supports this feature level.
  Callback<void(MemberId member, std::string client_endpoint, std::string data_id,
                std::uint16_t feature_level)>
      connected;
  /// It cannot any more; what was under way may be lost.
  Callback<void(MemberId member)> lost;
  /// `member` does not want to hear from this process; told at every attempt, until connected.
  Callback<void(MemberId member, std::string reason)> refused;
};

/// What the links of one transport share; owned by it and outliving them.
struct Context {
  net::EventLoop& loop;
  LogSink& logging;
  Identity self;
  const Timing timing;
  const std::size_t max_queue_bytes;
  Events events;
  RepeatedLines lines;
};

/// Of frames before the handshake: a stranger gets no more memory than this.
constexpr std::size_t kMaxGreetingBytes = 4 * limits::kKiB;

}  // namespace holdfast::peer
