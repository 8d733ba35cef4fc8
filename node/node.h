#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/logging.h"
#include "base/result.h"
#include "base/time.h"
#include "node/bounds.h"
#include "node/grants.h"
#include "node/keep_alives.h"
#include "node/leader_waiters.h"
#include "node/ports/image_store.h"
#include "node/ports/log_store.h"
#include "node/ports/loop.h"
#include "node/ports/snapshot_store.h"
#include "node/ports/space.h"
#include "node/ports/transport.h"
#include "node/watch_hub.h"
#include "raft/core.h"
#include "state/command.h"
#include "state/machine.h"
#include "state/reply.h"

/// One replica: drives the raft core, persists, sends, applies, answers reads, feeds watchers. It owns no
/// socket, file, thread or clock: those are its ports. Thread: everything here runs on its loop.
namespace holdfast::node {

struct Options {
  raft::Options raft;
  ClusterId cluster;
  std::string name;             ///< of this member
  std::string client_endpoint;  ///< where clients reach it; announced through the log
  /// The highest that this member supports, announced too; lower only in tests. state/feature_level.h
  std::uint16_t feature_level = state::kSupportedLevel;
  /// Told once if a newer version wrote what this one does not understand. Nothing is applied from then on,
  /// so that this member does not part from the others; its process is to end.
  std::function<void(const Error&)> outdated;
  Duration image_interval = std::chrono::seconds(5);
  std::size_t image_after_bytes = 16 << 20;   ///< of log since the last image: then it is due at once
  std::size_t image_config_rows = 16 * 1024;  ///< of the configuration that one image brings up, at most
  std::size_t history_memory_bytes = 4 << 20;
  std::uint64_t log_entries_kept = 1000;  ///< below the newest image, though no member needs them
  std::size_t log_bytes_kept = 64 << 20;  ///< at most, for members that lag or are away
  std::size_t snapshot_piece_bytes = 256 << 10;
  Duration snapshot_patience =
      std::chrono::seconds(30);  ///< with one that is sent an image and gets no further
  Bounds bounds;
};

struct Ports {
  Loop& loop;
  LogStore& log_store;
  ImageStore& image_store;
  SnapshotStore& snapshot_store;
  Transport& transport;
  LogSink& logging;
};

class Node {
 public:
  Node(Options options, Ports ports, raft::Restored restored, std::unique_ptr<state::Machine> machine);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Begins to take part.
  void start();

  // --- From the rim ---
  void on_alarm();
  void receive(raft::Message message);
  /// A handshake succeeded; the member says where clients reach it, which data directory it has, and the
  /// highest feature level it supports.
  void peer_connected(MemberId member, std::string client_endpoint, std::string data_id,
                      std::uint16_t feature_level = state::kSupportedLevel);
  void peer_lost(MemberId member);
  /// What the watcher of the disk says. While space is low this member hands leadership over, takes no
  /// writes, neither clients' nor a leader's, and answers reads.
  void space_changed(Space space);

  // --- Calls of the door (rpc/) ---

  /// Stamps, encodes and proposes; `done` runs when the command was applied here.
  /// Errors: kNotLeader, kOverloaded, kDiskFull, kLimitExceeded, kNotEnabled, kStopping (it was not
  /// proposed); kNotCommitted (another entry took its place); kUnknown (the time is over, or leadership was
  /// lost, before its fate was known); or the machine's own.
  void propose(state::Operation operation, state::Stamp stamp, Duration timeout,
               Callback<void(state::Reply)> done);
  /// `ready` runs when a linearizable read may look at machine(). Only on the leader.
  /// Errors: kNotLeader, kUnavailable (no quorum confirmed in time), kStopping.
  void linearizable_read(Duration timeout, Callback<void(Result<void>)> ready);
  /// Renews leases; answered as decision 10 of the design says. Only on the leader. Errors: as
  /// linearizable_read.
  void keep_alive(std::vector<LeaseId> leases, Duration timeout,
                  Callback<void(Result<std::vector<KeptAlive>>)> done);
  /// What is left of a lease by this leader's clock; the full TTL on a follower.
  milliseconds remaining(LeaseId lease) const;
  /// Runs `done` once a leader is known that is not silent, and where clients reach it, at once if so; or
  /// when the time is over (kUnavailable).
  void when_leader_known(Duration timeout, Callback<void(Result<LeaderInfo>)> done);

  /// Makes `target` the membership; `done` runs when it is committed and no longer joint, with the index of
  /// the entry that says so. Only on the leader.
  /// Errors: kNotLeader, kStopping, kChangeInProgress, kNotCaughtUp, kWouldLoseQuorum, kLimitExceeded,
  /// kInvalidArgument (nothing changed); kNotCommitted (another entry took its place); kUnknown.
  void change_membership(raft::Membership target, Duration timeout, Callback<void(Result<Index>)> done);
  /// Hands leadership to that voter; `done` runs when this member knows that it leads. Only on the leader.
  /// Errors: kNotLeader, kStopping, kChangeInProgress (being handed over already), kMemberNotFound (no
  /// voter), kUnavailable (it did not take over in time).
  void transfer_leadership(MemberId to, Duration timeout, Callback<void(Result<void>)> done);

  Grants& grants();
  WatchHub& watches();
  const state::Machine& machine() const;
  /// Cluster time as of now: what held_ms and waiting_ms count in.
  ClusterTime cluster_time() const;

  // --- For people ---
  raft::Status status() const;
  const raft::Membership& membership() const;
  std::optional<LeaderInfo> leader() const;
  /// How far the others are; empty on any but the leader.
  std::vector<raft::FollowerStatus> followers() const;
  bool is_leader() const;
  /// What callers and watchers make it hold. Costs a look at each watcher.
  Held held() const;

  /// Hands leadership over if it has it, refuses new calls, answers what is in the log when its fate is
  /// known, fails all else that waits, and writes a last image; then runs `done`. Gives up handing over after
  /// an election timeout, and waiting for the log after another.
  void stop(Callback<void()> done);
  /// stop() was called: whoever asks had better ask another member.
  bool is_stopping() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::node
