#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/random.h"
#include "node/lifetime.h"
#include "storage/image_store.h"
#include "storage/log_store.h"
#include "storage/snapshot_store.h"
#include "storage/space_watch.h"
#include "tests/sim/disk.h"
#include "tests/sim/disk_pace.h"
#include "tests/sim/scheduled_runner.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/faulty_files.h"

namespace holdfast::sim {

/// storage/ as it ships, on files in memory from which a power cut takes what was not synced: lost, torn or
/// garbled. Its threads are events. What it tells the process is written down, and each start must find at
/// least that, and nothing that the process did not ask for.
class SqliteDisk final : public Disk {
 public:
  SqliteDisk(Schedule& schedule, Random random, const DiskOptions& options);
  ~SqliteDisk() override;

  Result<Found> open(const raft::Membership& founding, DiskEvents events) override;
  void crash() override;
  void close() override;

  void write_log(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                 Callback<void()> durable) override;
  void compact_log(Index through, Term term, const raft::Membership& at_base) override;
  void write_image(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) override;
  void commit_image(Index applied, Callback<void()> durable) override;
  void read_history(Revision from, std::size_t most_bytes,
                    Callback<void(std::vector<node::HistoryRow>)> result) override;
  void make_snapshot(Callback<void(Result<node::SnapshotFile>)> done) override;
  void read_snapshot(Index index, std::uint64_t offset, std::size_t most_bytes,
                     Callback<void(Result<Blob>)> done) override;
  void release_snapshot(Index index) override;
  void begin_file(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) override;
  void write_file(std::uint64_t offset, Blob bytes,
                  Callback<void(Result<std::uint64_t>)> next_offset) override;
  void install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
               Callback<void(Result<void>)> done) override;

  void stall(Instant until) override { pace_.stall(until); }
  void fail_a_write() override;
  void fill() override;
  void empty() override;
  bool flip_bit() override;
  void wipe() override;
  void calm() override;
  bool harmed() const override { return failing_ || failed_ || full_ || damaged_; }
  bool damaged() const override { return damaged_; }

  const StoredLog& durable() const override { return durable_; }
  const StoredLog& issued() const override { return issued_; }

 private:
  /// What the log was asked for and has not said to be durable.
  struct Pending {
    std::uint64_t number = 0;
    std::optional<raft::HardState> hard_state;
    std::vector<raft::Entry> entries;
    raft::Snapshot compaction;  // index zero: none
  };
  struct Stores {
    std::unique_ptr<storage::SpaceWatch> space;
    std::unique_ptr<storage::SqliteLogStore> log;
    std::unique_ptr<storage::SqliteImageStore> image;
    std::unique_ptr<storage::SqliteSnapshotStore> snapshots;
  };
  Result<Found> open_stores(const raft::Membership& founding);
  Result<void> open_log(const raft::Membership& founding);
  Result<void> open_image(const std::string& image_file);
  Result<void> compare(const raft::Restored& found);
  Result<void> lose(const std::string& what);
  storage::Poster poster();
  storage::FatalHandler fatal_handler();
  storage::RunnerFactory runner(ScheduledRunner*& made, int weight);
  std::uint64_t issue(Pending pending);
  void arrived(std::uint64_t number);
  static void carry_out(StoredLog& log, const Pending& pending);
  void break_off(ScheduledRunner* runner);
  void let_go();

  Schedule& schedule_;
  Random random_;
  DiskPace pace_;
  FaultyDisk files_;
  FaultVfs vfs_;
  FaultyFiles whole_files_{files_};
  DiskEvents events_;

  bool failing_ = false;
  bool failed_ = false;  ///< with an excuse; the process has not heard of it yet
  bool full_ = false;
  bool damaged_ = false;

  StoredLog durable_;
  StoredLog issued_;
  std::deque<Pending> pending_;
  std::uint64_t last_number_ = 0;
  std::optional<raft::Snapshot> installing_;
  Index image_durable_;

  // Of one process.
  Stores stores_;
  ScheduledRunner* log_runner_ = nullptr;
  ScheduledRunner* image_runner_ = nullptr;
  std::optional<node::Lifetime> process_;
};

}  // namespace holdfast::sim
