#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/lifetime.h"
#include "tests/sim/disk.h"
#include "tests/sim/disk_pace.h"
#include "tests/sim/image_file.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

/// A model of storage/: it keeps the promises of the ports, and no more than those. Of what was not synced,
/// some of the oldest may survive a crash.
class ModelDisk final : public Disk {
 public:
  ModelDisk(Schedule& schedule, Random random, const DiskOptions& options);

  Result<Found> open(const raft::Membership& founding, DiskEvents events) override;
  void crash() override;
  void close() override { crash(); }

  void write_log(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                 Callback<void()> durable) override;
  void compact_log(Index through, Term term, const raft::Membership& at_base) override;
  void write_image(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) override;
  void commit_image(Index applied, Callback<void()> durable) override;
  void read_history(Revision from, std::size_t most_bytes,
                    Callback<void(std::vector<node::HistoryRow>)> result) override;

  // Copies, and what was received of a file, go with the process.
  void make_snapshot(Callback<void(Result<node::SnapshotFile>)> done) override;
  void read_snapshot(Index index, std::uint64_t offset, std::size_t most_bytes,
                     Callback<void(Result<Blob>)> done) override;
  void release_snapshot(Index index) override { copies_.erase(index); }
  void begin_file(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) override;
  void write_file(std::uint64_t offset, Blob bytes,
                  Callback<void(Result<std::uint64_t>)> next_offset) override;
  void install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
               Callback<void(Result<void>)> done) override;

  void stall(Instant until) override { pace_.stall(until); }
  void fail_a_write() override { failing_ = true; }
  void fill() override;
  void empty() override;
  bool flip_bit() override { return false; }
  void wipe() override;
  void calm() override;
  bool harmed() const override { return failing_ || failed_; }
  bool damaged() const override { return false; }

  const StoredLog& durable() const override { return durable_; }
  const StoredLog& issued() const override { return issued_; }

 private:
  static constexpr std::chrono::seconds kLookAgain{1};
  struct LogWrite {
    std::optional<raft::HardState> hard_state;
    std::vector<raft::Entry> entries;
    Index compact_through;
    Term compact_term;
    raft::Membership at_base;
    Callback<void()> durable;
    std::optional<raft::Snapshot> install = {};
    StoredImage image = {};  // the installed one
  };
  struct ImageWrite {
    std::vector<RowChange> rows;
    std::vector<node::HistoryRow> history;
    Index applied;
    Callback<void()> durable;
  };
  static void carry_out(StoredLog& log, const LogWrite& write);
  void make_durable(const LogWrite& write);
  void issue(LogWrite write);
  void sync_log();
  void log_synced(std::size_t writes);
  void image_synced();
  void image_arrived();
  /// Gives the file's rows to the loader. Returns: the image in it.
  Result<StoredImage> load_file(const raft::Snapshot& at, node::ImageLoader& into);
  /// Returns: true if the disk has failed, or is full, and what was to be synced is not.
  bool refuses(Callback<void()> again);
  void tell_space();
  Duration delay() { return pace_.delay(); }

  Schedule& schedule_;
  Random random_;
  DiskPace pace_;
  const bool lies_;
  DiskEvents events_;
  bool failing_ = false;  // the next write does
  bool failed_ = false;   // for this process
  bool full_ = false;
  bool told_full_ = false;
  std::uint64_t room_ = 0;  // for so many more syncs, if it is full

  StoredLog durable_;
  StoredLog issued_;
  std::deque<LogWrite> log_writes_;
  bool syncing_ = false;

  StoredImage image_;
  ImageWrite open_image_;
  std::deque<ImageWrite> image_commits_;

  std::map<Index, std::string> copies_;
  node::SnapshotFile receiving_;
  std::string received_;
  Instant file_free_;  // when the last piece that was given is written

  // Replaced at each crash: what was under way then never completes.
  std::optional<node::Lifetime> power_;
};

}  // namespace holdfast::sim
