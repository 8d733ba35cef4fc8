#include "node/snapshot_sender.h"

#include <algorithm>
#include <utility>

namespace holdfast::node {

namespace {

bool needs_image(const raft::FollowerStatus& follower) { return follower.pace == raft::Pace::kNeedsSnapshot; }

}  // namespace

SnapshotSender::SnapshotSender(Options options, SnapshotStore& store, LogSink& logging, Describe describe,
                               Send send)
    : options_(options),
      store_(store),
      logging_(logging),
      describe_(std::move(describe)),
      send_(std::move(send)) {}

void SnapshotSender::run(Instant now, const std::vector<raft::FollowerStatus>& followers,
                         Index newest_image) {
  end_those_done(followers);
  begin(now, followers);
  next_look_ = busy() ? now + options_.ask_again / 2 : kNever;
  std::vector<MemberId> members;
  for (const auto& [member, transfer] : transfers_) members.push_back(member);
  for (MemberId member : members) {
    if (auto found = transfers_.find(member); found != transfers_.end()) {
      look_after(now, member, found->second);
    }
  }
  release_if_idle();
  if (std::exchange(make_failed_, false)) make_not_before_ = now + options_.patience / 4;
  if (!transfers_.empty() && !file_ && !making_ && now >= make_not_before_) make(newest_image);
}

void SnapshotSender::end_those_done(const std::vector<raft::FollowerStatus>& followers) {
  const auto still_needs = [&](MemberId member) {
    return std::any_of(followers.begin(), followers.end(), [&](const raft::FollowerStatus& follower) {
      return follower.id == member && needs_image(follower);
    });
  };
  for (auto i = transfers_.begin(); i != transfers_.end();) {
    if (still_needs(i->first)) {
      ++i;
      continue;
    }
    logging_.write(LogLevel::kInfo, "snapshot_delivered", {{"member", i->first}, {"index", snapshot_.index}});
    i = transfers_.erase(i);
  }
  std::erase_if(resting_, [&](const auto& one) { return !still_needs(one.first); });
}

void SnapshotSender::begin(Instant now, const std::vector<raft::FollowerStatus>& followers) {
  waiting_ = false;
  for (const raft::FollowerStatus& follower : followers) {
    if (!needs_image(follower) || transfers_.contains(follower.id)) continue;
    if (auto rests = resting_.find(follower.id); rests != resting_.end()) {
      if (now < rests->second) continue;
      resting_.erase(rests);
    }
    if (follower.last_heard + options_.silence < now) {
      waiting_ = true;
      continue;
    }
    Transfer& transfer = transfers_[follower.id];
    transfer.number = ++last_number_;
    transfer.progress = transfer.heard = now;
    logging_.write(LogLevel::kInfo, "snapshot_begun", {{"member", follower.id}});
    if (file_) ask(follower.id, transfer);
  }
}

void SnapshotSender::look_after(Instant now, MemberId member, Transfer& transfer) {
  if (!file_) {
    // Making the copy is this member's own affair.
    transfer.progress = transfer.heard = now;
    return;
  }
  const bool installing = transfer.furthest == file_->size;
  if (now - transfer.progress > (installing ? options_.install_patience : options_.patience)) {
    return drop(now, member, "no progress");
  }
  if (now - transfer.heard < options_.ask_again) return;
  transfer.heard = now;
  transfer.asking = true;
  ask(member, transfer);
}

void SnapshotSender::receive(Instant now, MemberId from, const raft::InstallReply& reply) {
  auto found = transfers_.find(from);
  if (found == transfers_.end() || !file_ || reply.index != file_->index) return;
  if (reply.refused) return drop(now, from, "refused");
  if (reply.next_offset > file_->size) return;
  Transfer& transfer = found->second;
  transfer.heard = now;
  if (transfer.asking) {
    transfer.asking = false;
    transfer.acknowledged = transfer.sent = reply.next_offset;
    transfer.sent_again.reset();
  } else if (reply.next_offset > transfer.acknowledged) {
    transfer.acknowledged = reply.next_offset;
    transfer.sent = std::max(transfer.sent, transfer.acknowledged);
  } else if (reply.next_offset == transfer.acknowledged && transfer.sent_again != transfer.acknowledged) {
    // It got something from further on: what it wants was lost. Once is enough, however many say so.
    transfer.sent_again = transfer.acknowledged;
    transfer.sent = transfer.acknowledged;
  }
  if (transfer.acknowledged > transfer.furthest) {
    transfer.furthest = transfer.acknowledged;
    transfer.progress = now;
  }
  pump(from, transfer);
}

void SnapshotSender::connected(Instant now, MemberId member) {
  auto found = transfers_.find(member);
  if (found == transfers_.end() || !file_) return;
  found->second.heard = now;
  found->second.asking = true;
  ask(member, found->second);
}

void SnapshotSender::stop() {
  transfers_.clear();
  resting_.clear();
  waiting_ = false;
  next_look_ = kNever;
  release_if_idle();
}

Instant SnapshotSender::due() const { return busy() ? next_look_ : kNever; }

std::optional<Index> SnapshotSender::needed() const {
  if (making_) return file_ ? std::min(made_from_, file_->index) : made_from_;
  if (file_) return file_->index;
  return std::nullopt;
}

void SnapshotSender::make(Index newest_image) {
  making_ = true;
  made_from_ = newest_image;
  store_.make(lifetime_.guard([this](Result<SnapshotFile> file) { made(std::move(file)); }));
}

void SnapshotSender::made(Result<SnapshotFile> file) {
  making_ = false;
  if (!file) {
    make_failed_ = true;
    logging_.write(LogLevel::kWarn, "snapshot_not_made", {{"error", file.error().message}});
    return;
  }
  std::optional<raft::Snapshot> stands_for = describe_(file->index);
  file_ = *std::move(file);
  if (!stands_for || file_->size == 0) {
    make_failed_ = true;
    store_.release(file_->index);
    file_.reset();
    return;
  }
  snapshot_ = *std::move(stands_for);
  logging_.write(LogLevel::kInfo, "snapshot_made", {{"index", snapshot_.index}, {"bytes", file_->size}});
  release_if_idle();
  if (!file_) return;
  for (auto& [member, transfer] : transfers_) ask(member, transfer);
}

void SnapshotSender::ask(MemberId member, Transfer& transfer) {
  send_(member, piece(transfer.acknowledged, Blob()));
}

void SnapshotSender::pump(MemberId member, Transfer& transfer) {
  const std::uint64_t window = options_.pieces_in_flight * options_.piece_bytes;
  while (transfer.sent < file_->size && transfer.sent < transfer.acknowledged + window &&
         transfer.reads < options_.pieces_in_flight) {
    const std::uint64_t offset = transfer.sent;
    const std::uint64_t bytes = std::min<std::uint64_t>(options_.piece_bytes, file_->size - offset);
    transfer.sent += bytes;
    ++transfer.reads;
    store_.read(file_->index, offset, bytes,
                lifetime_.guard([this, member, number = transfer.number, index = file_->index,
                                 offset](Result<Blob> piece) {
                  piece_read(member, number, index, offset, std::move(piece));
                }));
  }
}

void SnapshotSender::piece_read(MemberId member, std::uint64_t number, Index index, std::uint64_t offset,
                                Result<Blob> read) {
  auto found = transfers_.find(member);
  if (found == transfers_.end() || found->second.number != number) return;
  Transfer& transfer = found->second;
  --transfer.reads;
  if (!file_ || file_->index != index) return;
  if (!read) {
    logging_.write(LogLevel::kWarn, "snapshot_not_read", {{"index", index}, {"error", read.error().message}});
    return;  // asked for again when nothing is heard
  }
  if (offset >= transfer.acknowledged) send_(member, piece(offset, *std::move(read)));
  pump(member, transfer);
}

void SnapshotSender::drop(Instant now, MemberId member, const char* why) {
  logging_.write(LogLevel::kWarn, "snapshot_dropped",
                 {{"member", member}, {"index", snapshot_.index}, {"reason", why}});
  transfers_.erase(member);
  resting_[member] = now + options_.patience;
  release_if_idle();
}

void SnapshotSender::release_if_idle() {
  if (!transfers_.empty() || !file_) return;
  store_.release(file_->index);
  file_.reset();
}

raft::InstallSnapshot SnapshotSender::piece(std::uint64_t offset, Blob data) const {
  return {snapshot_, file_->digest, file_->size, offset, std::move(data)};
}

}  // namespace holdfast::node
