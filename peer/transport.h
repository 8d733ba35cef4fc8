#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/logging.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "node/ports/transport.h"
#include "peer/context.h"
#include "peer/handshake.h"

namespace holdfast::peer {

struct Options {
  Identity self;
  std::vector<Peer> peers;  ///< the other members
  Endpoint listen;
  Timing timing = {};
  std::size_t max_queue_bytes = 16 * limits::kMiB;  ///< to one member; beyond it messages are dropped
  std::uint64_t seed = 1;                           ///< of the pauses between attempts
};

/// Carries messages between members. Each member dials every other and sends on the connection it dialled; it
/// receives on those it accepted. A message is dropped when its connection is not there or its queue is full:
/// raft expects no better. Thread: the loop's.
class Transport final : public node::Transport {
 public:
  /// Listens, and does nothing else before start().
  /// Errors: kUnavailable, as net::Listener::open.
  static Result<std::unique_ptr<Transport>> open(net::EventLoop& loop, Options options, LogSink& logging);
  ~Transport() override;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Begins to dial and to accept. `data_id`: of this member's data directory, as it shows it to the others;
  /// a new directory has one only after both ports were taken.
  void start(Events events, std::string data_id);
  void send(raft::Message message) override;
  /// As set_peers(), with everybody but this member.
  void set_members(const raft::Membership& membership, Index index) override;
  /// Dials those that are new, drops those that are gone or have another data id than the one now on record,
  /// dials anew where an endpoint has changed.
  /// `index`: how new the list is; a stranger with a newer one is welcome, and dialled back where it says.
  void set_peers(std::vector<Peer> peers, Index index = {});

  /// Where it listens, with the port that was bound.
  const Endpoint& endpoint() const;
  bool connected(MemberId member) const;
  /// Messages given up to this member because too much was queued.
  std::uint64_t dropped(MemberId member) const;

 private:
  class Impl;
  explicit Transport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::peer
