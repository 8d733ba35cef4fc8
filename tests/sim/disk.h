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
#include "state/machine.h"
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

struct StoredImage {
  std::map<std::string, std::pair<std::size_t, Row>> rows;  // by table and key
  std::map<Revision, node::HistoryRow> history;             // by first revision
  Index applied;
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

  void crash();
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
  };
  struct ImageWrite {
    std::vector<RowChange> rows;
    std::vector<node::HistoryRow> history;
    Index applied;
    Callback<void()> durable;
  };
  static void carry_out(StoredLog& log, const LogWrite& write);
  void issue(LogWrite write);
  void sync_log();
  void log_synced(std::size_t writes);
  void image_synced();
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

  // Replaced at each crash: what was under way then never completes.
  std::optional<node::Lifetime> power_;
};

}  // namespace holdfast::sim
