#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/ids.h"
#include "base/logging.h"
#include "node/lifetime.h"
#include "node/ports/snapshot_store.h"
#include "raft/messages.h"

/// A follower's side of snapshot_sender.h: puts the pieces into the store's file, says what it wants next,
/// and tells when the file is whole.
///
///     idle --a piece of some image--> beginning --the store knows where to go on--> receiving
///      ^                                                                            |  whole
///      +-------- installed(), given_up() <-- whole(snapshot) is told <--------------+
///
/// A piece of another image restarts it, unless that image is older: it was overtaken on its way. Pieces that
/// come while one is being installed are answered and not looked at.
namespace holdfast::node {

class SnapshotReceiver {
 public:
  using Reply = std::function<void(MemberId, raft::InstallReply)>;
  /// The file is whole: installed() or given_up() must follow.
  using Whole = std::function<void(const raft::Snapshot&)>;
  /// Of pieces that the store has not written yet; more are dropped, and sent again.
  static constexpr std::size_t kMaxBytesWaiting = 8 << 20;

  SnapshotReceiver(SnapshotStore& store, LogSink& logging, Reply reply, Whole whole);
  SnapshotReceiver(const SnapshotReceiver&) = delete;
  SnapshotReceiver& operator=(const SnapshotReceiver&) = delete;

  /// Requires: it comes from the leader of the current term, and this member can use its image.
  void receive(MemberId from, raft::InstallSnapshot piece);
  void installed();
  /// `refuse`: the image was damaged, the leader is to send another.
  void given_up(bool refuse);

 private:
  enum class State { kIdle, kBeginning, kReceiving, kInstalling };
  void begin(MemberId from, const raft::InstallSnapshot& piece);
  void begun(std::uint64_t number, Result<std::uint64_t> next_offset);
  void written(std::uint64_t number, std::size_t bytes, Result<std::uint64_t> next_offset);
  void tell(std::uint64_t wanted);
  void go_on();
  void refuse(const Error& why);

  // Constant after construction.
  SnapshotStore& store_;
  LogSink& logging_;
  const Reply reply_;
  const Whole whole_;

  // Owned by the loop.
  State state_ = State::kIdle;
  MemberId from_;
  raft::Snapshot snapshot_;
  SnapshotFile file_;
  std::uint64_t number_ = 0;       // counts files begun: what an earlier one's calls bring is not looked at
  std::uint64_t next_offset_ = 0;  // as the store last said
  std::uint64_t handed_over_ = 0;  // to the store, written or not
  std::size_t bytes_waiting_ = 0;  // of all files
  Lifetime lifetime_;
};

}  // namespace holdfast::node
