#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/lifetime.h"
#include "node/ports/image_store.h"
#include "node/ports/log_store.h"
#include "node/ports/snapshot_store.h"
#include "state/machine.h"
#include "tests/sim/image_file.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

/// A log as it would be found on the disk.
struct StoredLog {
  raft::HardState hard_state;
  Index base;
  Term base_term;
  raft::Membership base_membership;  // empty until something was compacted
  std::deque<raft::Entry> entries;   // from base + 1 on

  Index last() const { return base + entries.size(); }
  const raft::Entry* find(Index index) const;
  /// None above the end or below the base.
  std::optional<Term> term_at(Index index) const;
};

struct DiskOptions {
  Duration fastest = Duration(200);
  Duration slowest = milliseconds(4);
  double stall_percent = 0.5;
  Duration stall = milliseconds(700);
  /// A deliberate bug, to see that it is found: says "durable" at once.
  bool lies = false;
};

/// What one member has on disk. Writes take effect when their sync completes; a crash loses those that did
/// not, except that some of the oldest may have arrived unnoticed. Outlives the member's processes.
class Disk {
 public:
  Disk(Schedule& schedule, Random random, DiskOptions options);

  void write_log(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                 Callback<void()> durable);
  void compact_log(Index through, Term term, const raft::Membership& at_base);
  void write_image(std::vector<RowChange> rows, std::vector<node::HistoryRow> history);
  void commit_image(Index applied, Callback<void()> durable);
  void read_history(Revision from, std::size_t most_bytes,
                    Callback<void(std::vector<node::HistoryRow>)> result);

  // As node::SnapshotStore. Copies, and what was received of a file, go with the process.
  void make_snapshot(Callback<void(Result<node::SnapshotFile>)> done);
  void read_snapshot(Index index, std::uint64_t offset, std::size_t most_bytes,
                     Callback<void(Result<Blob>)> done);
  void release_snapshot(Index index) { copies_.erase(index); }
  void begin_file(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset);
  void write_file(std::uint64_t offset, Blob bytes, Callback<void(Result<std::uint64_t>)> next_offset);
  void install(raft::Snapshot at, std::shared_ptr<node::RowLoader> into, Callback<void(Result<void>)> done);

  void crash();
  /// No sync completes before `until`.
  void stall(Instant until) { stalled_until_ = until; }
  void calm();

  /// What a restart would find.
  const StoredLog& durable() const { return durable_; }
  /// What the member has asked to be written so far.
  const StoredLog& issued() const { return issued_; }
  const StoredImage& image() const { return image_; }

 private:
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
  /// Gives the file's rows to the loader. Returns: the image in it.
  Result<StoredImage> load_file(const raft::Snapshot& at, node::RowLoader& into);
  Duration delay();

  Schedule& schedule_;
  Random random_;
  DiskOptions options_;

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

  Instant stalled_until_;
  // Replaced at each crash: what was under way then never completes.
  std::optional<node::Lifetime> power_;
};

}  // namespace holdfast::sim
