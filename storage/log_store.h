#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/random.h"
#include "node/ports/log_store.h"
#include "storage/failure.h"
#include "storage/log_database.h"
#include "storage/space_watch.h"
#include "storage/worker.h"

namespace holdfast::storage {

struct LogStoreOptions {
  Location location;
  Poster post;                         ///< to the loop
  FatalHandler fatal;                  ///< on the log thread
  RunnerFactory runner;                ///< of its work; none: a thread
  SpaceWatch* space = nullptr;         ///< null: a full disk is fatal
  std::size_t commit_bytes = 8 << 20;  ///< payload after which a group commit is full
  /// Of write-ahead log; each checkpoint comes at between a half of it and all of it, drawn from `seed`.
  /// Members count the same bytes: a write that waits for one member's checkpoint has two others, if they do
  /// not wait for theirs at the same moment.
  std::size_t checkpoint_bytes = 2 << 20;
  std::uint64_t seed = 1;
  std::uint64_t compaction_slice = 256;  ///< packs removed between two commits
  /// A log that nothing was written to for some seconds gives back what is free in its files if it is that
  /// much, and more than what they hold.
  std::uint64_t shrink_from_bytes = 4 << 20;
};

/// One of these, in the order in which they were asked for.
struct LogWrite {
  std::optional<raft::HardState> hard_state;
  std::vector<raft::Entry> entries;
};
struct LogCompaction {
  raft::Snapshot base;
};
struct LogInstallation {
  raft::Snapshot base;
  std::string image_file;
};
struct LogJob {
  std::variant<LogWrite, LogCompaction, LogInstallation> what;
  Callback<void()> durable;  ///< may be empty
};

/// The log on a thread of its own. Everything that is queued while one commit is in flight goes into the
/// next: that, and not the speed of a commit, is what makes writes cheap.
///
/// On a full disk the transaction is rolled back: nothing of it was acknowledged. With the ballast given up
/// it is tried once more, and then again and again until there is space; nothing is acknowledged meanwhile.
///
/// Crash story: a completion runs only after its transaction is on the disk, and a transaction is whole or
/// not there. Life: open() -> contents() -> start() -> ... -> stop().
class SqliteLogStore final : public node::LogStore, private WorkerDuty<LogJob> {
 public:
  /// Opens or creates, checks and reads the log. Errors: kCorrupt, kStorage, with a way out.
  static Result<std::unique_ptr<SqliteLogStore>> open(LogStoreOptions options);
  ~SqliteLogStore() override;

  /// Nothing at the first boot.
  const std::optional<Identity>& identity() const { return identity_; }
  /// Makes a new data directory a member's; durable when it returns. Requires: no identity, not started.
  Result<void> set_identity(Identity identity);
  /// What the log held when it was opened. May be called once.
  LogContents take_contents() { return std::move(contents_); }

  void start();
  /// Makes everything that was written durable and ends the thread. Completions were posted by then.
  void stop();
  /// Nothing may be asked of it any more. Thread: the loop's.
  bool stopped() const { return stopped_; }

  void write(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
             Callback<void()> durable) override;
  void compact(Index through, Term term, const raft::Membership& at_base) override;
  /// LogDatabase::install(), in the order of the writes. Durability: `durable` as with write().
  void install(raft::Snapshot at, std::string image_file, Callback<void()> durable);

  /// Transactions committed since the start. Thread: any.
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

 private:
  explicit SqliteLogStore(LogStoreOptions options);
  void work(std::deque<LogJob>& jobs) override;
  Tidied tidy() override;
  void finish() override;
  void advance();
  std::size_t commit_group();
  void complete(std::size_t jobs);
  bool worth_another_try();
  bool remove_and_checkpoint();
  void checkpoint_if_due();
  void shrink_if_quiet();
  void carry_out(const LogWrite& write);
  void carry_out(const LogCompaction& compaction);
  void carry_out(const LogInstallation& installation);

  const LogStoreOptions options_;
  // The owner's until start(), then the log thread's.
  LogDatabase database_;
  std::deque<LogJob> jobs_;  // not durable yet
  bool stalled_ = false;     // by a full disk
  int looks_since_work_ = 0;
  Random random_;
  std::size_t checkpoint_at_;  // bytes of write-ahead log
  // The owner's.
  std::optional<Identity> identity_;
  LogContents contents_;

  bool stopped_ = false;  // the owner's
  std::atomic<std::uint64_t> commits_ = 0;
  Worker<LogJob> worker_;  // last: its thread ends before the rest goes
};

}  // namespace holdfast::storage
