#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "node/ports/image_store.h"
#include "node/ports/log_store.h"
#include "node/ports/loop.h"
#include "node/ports/snapshot_store.h"

namespace holdfast::test {

/// Stores that are durable at once: the door is under test here, not the disk.
class MemoryLog final : public node::LogStore {
 public:
  explicit MemoryLog(node::Loop& loop) : loop_(loop) {}
  void write(std::optional<raft::HardState>, std::vector<raft::Entry>, Callback<void()> durable) override {
    loop_.post(std::move(durable));
  }
  void compact(Index, Term, const raft::Membership&) override {}

 private:
  node::Loop& loop_;
};

/// No member of these tests is ever so far behind that it needs an image, or is sent one.
class NoSnapshots final : public node::SnapshotStore {
 public:
  void make(Callback<void(Result<node::SnapshotFile>)> done) override { done(refused()); }
  void read(Index, std::uint64_t, std::size_t, Callback<void(Result<Blob>)> done) override {
    done(refused());
  }
  void release(Index) override {}
  void begin(node::SnapshotFile, Callback<void(Result<std::uint64_t>)> done) override { done(refused()); }
  void write(std::uint64_t, Blob, Callback<void(Result<std::uint64_t>)> done) override { done(refused()); }
  void install(raft::Snapshot, std::shared_ptr<node::ImageLoader>,
               Callback<void(Result<void>)> done) override {
    done(refused());
  }

 private:
  static tl::unexpected<Error> refused() { return fail(Errc::kStorage, "there is no place for an image"); }
};

class MemoryImage final : public node::ImageStore {
 public:
  explicit MemoryImage(node::Loop& loop) : loop_(loop) {}
  void write(std::vector<RowChange>, std::vector<node::HistoryPack> history) override {
    for (const auto& pack : history) written_.push_back(pack.row());
  }
  void commit(Index, Callback<void()> durable) override {
    for (auto& row : written_) history_.push_back(std::move(row));
    written_.clear();
    loop_.post(std::move(durable));
  }
  void read_history(Revision from, std::size_t,
                    Callback<void(std::vector<node::HistoryRow>)> result) override {
    std::vector<node::HistoryRow> rows;
    for (const auto& row : history_) {
      if (row.last >= from) rows.push_back(row);
    }
    loop_.post([rows = std::move(rows), result = std::move(result)]() mutable { result(std::move(rows)); });
  }

 private:
  node::Loop& loop_;
  std::vector<node::HistoryRow> written_;
  std::vector<node::HistoryRow> history_;
};

}  // namespace holdfast::test
