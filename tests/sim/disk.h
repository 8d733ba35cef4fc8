#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "node/ports/image_store.h"
#include "node/ports/snapshot_store.h"
#include "node/ports/space.h"
#include "raft/core.h"
#include "state/machine.h"
#include "tests/sim/schedule.h"
#include "tests/sim/stored_log.h"

namespace holdfast::sim {

struct DiskOptions {
  Duration fastest = Duration(200);
  Duration slowest = milliseconds(4);
  double stall_percent = 0.5;
  Duration stall = milliseconds(700);
  /// A deliberate bug, to see that it is found: says "durable" at once.
  bool lies = false;
  bool sqlite = false;  ///< SqliteDisk, else ModelDisk
};

/// What a process finds when it starts.
struct Found {
  raft::Restored restored;
  std::unique_ptr<state::Machine> machine;
};

/// What a process hears of its disk, beside completions. Called as events of their own.
struct DiskEvents {
  std::function<void(const std::string& why)> failed;  ///< it must end
  std::function<void(const node::Space&)> space_changed;
  /// It finds something else than what was acknowledged. Called by open(), which fails then.
  std::function<void(const std::string& what)> lost;
};

/// What one member has on disk. Outlives the member's processes, of which there is one at a time:
///
///     open() --> reads and writes --> crash(), or close() --> open()
///
/// Writes take effect when their sync completes; a crash loses those that did not, except that some of them
/// may have arrived unnoticed. Completions are events; those of a process that is gone never come.
class Disk {
 public:
  virtual ~Disk() = default;

  /// A process starts. On an empty disk it begins with that membership.
  /// Errors: what is there cannot be used, with the reason.
  virtual Result<Found> open(const raft::Membership& founding, DiskEvents events) = 0;
  /// The process is gone, and the power with it perhaps.
  virtual void crash() = 0;
  /// The process has ended in order: everything that it wrote is there.
  virtual void close() = 0;

  // As node::LogStore.
  virtual void write_log(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                         Callback<void()> durable) = 0;
  virtual void compact_log(Index through, Term term, const raft::Membership& at_base) = 0;

  // As node::ImageStore.
  virtual void write_image(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) = 0;
  virtual void commit_image(Index applied, Callback<void()> durable) = 0;
  virtual void read_history(Revision from, std::size_t most_bytes,
                            Callback<void(std::vector<node::HistoryRow>)> result) = 0;

  // As node::SnapshotStore.
  virtual void make_snapshot(Callback<void(Result<node::SnapshotFile>)> done) = 0;
  virtual void read_snapshot(Index index, std::uint64_t offset, std::size_t most_bytes,
                             Callback<void(Result<Blob>)> done) = 0;
  virtual void release_snapshot(Index index) = 0;
  virtual void begin_file(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) = 0;
  virtual void write_file(std::uint64_t offset, Blob bytes,
                          Callback<void(Result<std::uint64_t>)> next_offset) = 0;
  virtual void install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
                       Callback<void(Result<void>)> done) = 0;

  // --- Trouble
  /// No sync completes before `until`.
  virtual void stall(Instant until) = 0;
  /// The next write, or one of the next, fails: DiskEvents::failed, or open() does.
  virtual void fail_a_write() = 0;
  /// Somebody else takes nearly all the space, or all of it.
  virtual void fill() = 0;
  /// And gives it back.
  virtual void empty() = 0;
  /// Inverts a bit of what is stored. Requires: no process. Returns: false if it cannot.
  virtual bool flip_bit() = 0;
  /// It is exchanged for an empty one. Requires: no process.
  virtual void wipe() = 0;
  /// From here on nothing goes wrong.
  virtual void calm() = 0;
  /// Something was done to it by which a process may fail now: it has an excuse.
  virtual bool harmed() const = 0;
  /// A bit was flipped: that excuse is for good.
  virtual bool damaged() const = 0;

  /// What a restart must find at least.
  virtual const StoredLog& durable() const = 0;
  /// What the member has asked to be written so far.
  virtual const StoredLog& issued() const = 0;
};

std::unique_ptr<Disk> make_disk(Schedule& schedule, Random random, const DiskOptions& options);

}  // namespace holdfast::sim
