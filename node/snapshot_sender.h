#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/logging.h"
#include "base/time.h"
#include "node/lifetime.h"
#include "node/ports/snapshot_store.h"
#include "raft/core.h"

/// A leader's way to bring up followers whose next entries are compacted: it sends them a copy of its newest
/// durable image, in pieces. All of them are served from one copy.
///
///     (needs one) --> asking --answer: from where--> streaming --all acknowledged--> installing -->
///     (follows)
///                       ^                               |                                |
///                       +---- nothing heard, or its connection came back ----------------+
///                       |
///                 refused, or no progress for long: dropped, and begun anew after a pause
///
/// Pieces may be lost, repeated and reordered. A follower says with every answer what it wants next, so that
/// a transfer goes on where it stopped, also over another connection.
namespace holdfast::node {

class SnapshotSender {
 public:
  struct Options {
    std::size_t piece_bytes = 256 << 10;
    std::uint64_t pieces_in_flight = 4;
    Duration ask_again = std::chrono::seconds(1);          ///< when nothing was heard for so long
    Duration patience = std::chrono::seconds(30);          ///< without progress; then it is dropped
    Duration install_patience = std::chrono::minutes(10);  ///< for the follower to install what it has
    Duration silence = std::chrono::seconds(2);            ///< one not heard of for so long is not begun with
  };
  /// What an image at that index stands for; nothing if the log does not reach back to it any more.
  using Describe = std::function<std::optional<raft::Snapshot>(Index)>;
  using Send = std::function<void(MemberId, raft::InstallSnapshot)>;

  SnapshotSender(Options options, SnapshotStore& store, LogSink& logging, Describe describe, Send send);
  SnapshotSender(const SnapshotSender&) = delete;
  SnapshotSender& operator=(const SnapshotSender&) = delete;

  /// Looks at who needs an image and who is done, begins, asks again, drops. `newest_image` is where the
  /// newest durable image stands. Cheap if nothing is to be done.
  void run(Instant now, const std::vector<raft::FollowerStatus>& followers, Index newest_image);
  void receive(Instant now, MemberId from, const raft::InstallReply& reply);
  /// Its connection was made anew.
  void connected(Instant now, MemberId member);
  /// This member does not lead any more.
  void stop();

  /// Some followers need an image or are being sent one: run() is to be called by due().
  bool busy() const { return !transfers_.empty() || !resting_.empty() || waiting_; }
  Instant due() const;
  /// The log must not be compacted beyond this, or who is being served could not follow from there.
  std::optional<Index> needed() const;

 private:
  struct Transfer {
    bool asking = true;                       ///< for what it wants next
    std::uint64_t acknowledged = 0;           ///< it has everything below
    std::uint64_t sent = 0;                   ///< of what was sent or is being read
    std::uint64_t furthest = 0;               ///< the most it ever acknowledged
    std::optional<std::uint64_t> sent_again;  ///< from there, because a piece was missing
    std::uint64_t reads = 0;                  ///< under way
    Instant progress;
    Instant heard;
    std::uint64_t number = 0;  ///< tells it from an earlier one to the same member
  };
  void begin(Instant now, const std::vector<raft::FollowerStatus>& followers);
  void end_those_done(const std::vector<raft::FollowerStatus>& followers);
  void look_after(Instant now, MemberId member, Transfer& transfer);
  void make(Index newest_image);
  void made(Result<SnapshotFile> file);
  void ask(MemberId member, Transfer& transfer);
  void pump(MemberId member, Transfer& transfer);
  void piece_read(MemberId member, std::uint64_t number, Index index, std::uint64_t offset,
                  Result<Blob> piece);
  void drop(Instant now, MemberId member, const char* why);
  void release_if_idle();
  raft::InstallSnapshot piece(std::uint64_t offset, Blob data) const;

  // Constant after construction.
  const Options options_;
  SnapshotStore& store_;
  LogSink& logging_;
  const Describe describe_;
  const Send send_;

  // Owned by the loop.
  std::map<MemberId, Transfer> transfers_;
  std::map<MemberId, Instant> resting_;  // dropped; not begun with before that
  bool waiting_ = false;                 // somebody needs one, but was not heard of lately
  Instant next_look_ = kNever;
  bool making_ = false;
  bool make_failed_ = false;
  Instant make_not_before_;
  Index made_from_;  // the newest image when the copy was asked for: it stands there or higher
  std::optional<SnapshotFile> file_;
  raft::Snapshot snapshot_;  // what file_ stands for
  std::uint64_t last_number_ = 0;
  Lifetime lifetime_;
};

}  // namespace holdfast::node
