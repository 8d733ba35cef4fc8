#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/ports/image_store.h"
#include "node/ports/log_store.h"
#include "node/ports/loop.h"
#include "node/ports/snapshot_store.h"
#include "node/ports/transport.h"

namespace holdfast::node {

/// A loop whose turns the test takes.
class FakeLoop final : public Loop {
 public:
  Instant now() const override { return now_; }
  void post(Callback<void()> task) override { tasks_.push_back(std::move(task)); }
  void at_end_of_turn(Callback<void()> task) override { ends_.push_back(std::move(task)); }
  void set_alarm(Instant when) override { alarm_ = when; }
  void load(Load load) override { loads.push_back(load); }

  std::vector<Load> loads;  ///< that it was told of

  void pass(Duration time) { now_ += time; }
  Instant alarm() const { return alarm_; }
  /// Runs what waits, and what that posts.
  void run() {
    while (!tasks_.empty() || !ends_.empty()) turn();
  }
  /// Runs only what waits by now.
  void turn() {
    for (auto& task : std::exchange(tasks_, {})) task();
    for (auto& task : std::exchange(ends_, {})) task();
  }

 private:
  Instant now_{std::chrono::seconds(1)};
  Instant alarm_ = kNever;
  std::deque<Callback<void()>> tasks_;
  std::deque<Callback<void()>> ends_;  // what waits for the end of the turn
};

/// Keeps everything in memory; durable when the test says so.
class FakeLog final : public LogStore {
 public:
  void write(std::optional<raft::HardState>, std::vector<raft::Entry> entries,
             Callback<void()> durable) override {
    for (raft::Entry& entry : entries) written.push_back(std::move(entry));
    waiting.push_back(std::move(durable));
  }
  void compact(Index through, Term term, const raft::Membership&) override {
    compacted.emplace_back(through, term);
  }
  void sync() {
    for (auto& durable : std::exchange(waiting, {})) durable();
  }

  std::vector<raft::Entry> written;
  std::vector<Callback<void()>> waiting;
  std::vector<std::pair<Index, Term>> compacted;
};

class FakeImages final : public ImageStore {
 public:
  void write(std::vector<RowChange> rows, std::vector<HistoryPack> packs) override {
    ++slices;
    for (RowChange& row : rows) open_rows.push_back(std::move(row));
    for (const HistoryPack& pack : packs) open_history[pack.first] = pack.row();
  }
  void commit(Index applied, Callback<void()> durable) override {
    commits.push_back(applied);
    waiting.push_back(std::move(durable));
  }
  void read_history(Revision from, std::size_t, Callback<void(std::vector<HistoryRow>)> result) override {
    reads.emplace_back(from, std::move(result));
  }
  void sync() {
    for (auto& [first, row] : std::exchange(open_history, {})) history[first] = std::move(row);
    for (auto& durable : std::exchange(waiting, {})) durable();
  }
  /// Answers the reads that wait, one row each.
  void answer_reads() {
    for (auto& [from, result] : std::exchange(reads, {})) {
      std::vector<HistoryRow> rows;
      for (const auto& [first, row] : history) {
        if (row.last >= from && rows.empty()) rows.push_back(row);
      }
      result(std::move(rows));
    }
  }

  int slices = 0;
  std::vector<RowChange> open_rows;
  std::map<Revision, HistoryRow> open_history;
  std::map<Revision, HistoryRow> history;
  std::vector<Index> commits;
  std::vector<Callback<void()>> waiting;
  std::vector<std::pair<Revision, Callback<void(std::vector<HistoryRow>)>>> reads;
};

/// Copies that the test hands out, and one file that is received. Answers at once, unless held.
class FakeSnapshots final : public SnapshotStore {
 public:
  void make(Callback<void(Result<SnapshotFile>)> done) override {
    ++makes;
    answer([this, done = std::move(done)]() mutable {
      if (copy.empty()) return done(fail(Errc::kStorage, "no space"));
      done(SnapshotFile{index, copy.size(), "digest"});
    });
  }
  void read(Index at, std::uint64_t offset, std::size_t most, Callback<void(Result<Blob>)> done) override {
    answer([this, at, offset, most, done = std::move(done)]() mutable {
      if (at != index || released) return done(fail(Errc::kStorage, "released"));
      done(Blob(copy.substr(offset, most)));
    });
  }
  void release(Index at) override { released = at; }
  void begin(SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) override {
    if (file != receiving) received.clear();
    receiving = file;
    answer([this, done = std::move(next_offset)]() mutable { done(received.size()); });
  }
  void write(std::uint64_t offset, Blob bytes, Callback<void(Result<std::uint64_t>)> next_offset) override {
    answer([this, offset, bytes, done = std::move(next_offset)]() mutable {
      if (full) return done(fail(Errc::kStorage, "no space"));
      if (offset == received.size()) received += bytes.view();
      done(received.size());
    });
  }
  void install(raft::Snapshot at, std::shared_ptr<ImageLoader> into,
               Callback<void(Result<void>)> done) override {
    installed = at;
    loader = std::move(into);
    install_done = std::move(done);
  }
  void sync() {
    for (auto& task : std::exchange(waiting, {})) task();
  }

  bool held = false;
  std::deque<Callback<void()>> waiting;
  // A leader's.
  int makes = 0;
  Index index{100};
  std::string copy;
  std::optional<Index> released;
  // A follower's.
  SnapshotFile receiving;
  std::string received;
  bool full = false;
  std::optional<raft::Snapshot> installed;
  std::shared_ptr<ImageLoader> loader;
  Callback<void(Result<void>)> install_done;

 private:
  void answer(Callback<void()> task) {
    if (held) {
      waiting.push_back(std::move(task));
    } else {
      task();
    }
  }
};

class FakeTransport final : public Transport {
 public:
  void send(raft::Message message) override { sent.push_back(std::move(message)); }
  void set_members(const raft::Membership& membership, Index) override { members = membership; }
  std::vector<raft::Message> sent;
  raft::Membership members;
};

}  // namespace holdfast::node
