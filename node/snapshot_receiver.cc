#include "node/snapshot_receiver.h"

#include <utility>

namespace holdfast::node {

SnapshotReceiver::SnapshotReceiver(SnapshotStore& store, LogSink& logging, Reply reply, Whole whole)
    : store_(store), logging_(logging), reply_(std::move(reply)), whole_(std::move(whole)) {}

void SnapshotReceiver::receive(MemberId from, raft::InstallSnapshot piece) {
  const SnapshotFile file{piece.snapshot.index, piece.size, piece.digest};
  const bool same = state_ != State::kIdle && file == file_ && piece.snapshot == snapshot_;
  if (!same) {
    if (state_ == State::kInstalling) return;
    if (state_ != State::kIdle && from == from_ && file.index < file_.index) return;
    return begin(from, piece);
  }
  from_ = from;
  if (state_ == State::kBeginning) return;
  // What is on its way to the store is not asked for again.
  if (state_ == State::kInstalling || piece.data.empty()) return tell(handed_over_);
  if (piece.offset != handed_over_ || piece.data.size() > file_.size - handed_over_) {
    return tell(handed_over_);
  }
  if (bytes_waiting_ + piece.data.size() > kMaxBytesWaiting) return;
  const std::size_t bytes = piece.data.size();
  handed_over_ += bytes;
  bytes_waiting_ += bytes;
  store_.write(piece.offset, std::move(piece.data),
               lifetime_.guard([this, number = number_, bytes](Result<std::uint64_t> next_offset) {
                 written(number, bytes, std::move(next_offset));
               }));
}

void SnapshotReceiver::begin(MemberId from, const raft::InstallSnapshot& piece) {
  state_ = State::kBeginning;
  from_ = from;
  snapshot_ = piece.snapshot;
  file_ = {piece.snapshot.index, piece.size, piece.digest};
  next_offset_ = handed_over_ = 0;
  store_.begin(file_, lifetime_.guard([this, number = ++number_](Result<std::uint64_t> next_offset) {
    begun(number, std::move(next_offset));
  }));
}

void SnapshotReceiver::begun(std::uint64_t number, Result<std::uint64_t> next_offset) {
  if (number != number_ || state_ != State::kBeginning) return;
  if (!next_offset) return refuse(next_offset.error());
  state_ = State::kReceiving;
  next_offset_ = handed_over_ = *next_offset;
  logging_.write(LogLevel::kInfo, "snapshot_receiving",
                 {{"from", from_}, {"index", file_.index}, {"bytes", file_.size}, {"offset", next_offset_}});
  go_on();
}

void SnapshotReceiver::written(std::uint64_t number, std::size_t bytes, Result<std::uint64_t> next_offset) {
  bytes_waiting_ -= bytes;
  if (number != number_ || state_ != State::kReceiving) return;
  if (!next_offset) return refuse(next_offset.error());
  next_offset_ = *next_offset;
  go_on();
}

void SnapshotReceiver::go_on() {
  const bool whole = next_offset_ == file_.size;
  tell(next_offset_);
  if (!whole) return;
  state_ = State::kInstalling;
  whole_(snapshot_);
}

void SnapshotReceiver::tell(std::uint64_t wanted) { reply_(from_, {file_.index, wanted, false}); }

void SnapshotReceiver::refuse(const Error& why) {
  logging_.write(LogLevel::kWarn, "snapshot_refused", {{"index", file_.index}, {"error", why.message}});
  given_up(true);
}

void SnapshotReceiver::installed() { state_ = State::kIdle; }

void SnapshotReceiver::given_up(bool refuse) {
  state_ = State::kIdle;
  if (refuse) reply_(from_, {file_.index, 0, true});
}

}  // namespace holdfast::node
