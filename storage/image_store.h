#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "node/ports/image_store.h"
#include "storage/failure.h"
#include "storage/files.h"
#include "storage/image_database.h"
#include "storage/incoming_snapshot.h"
#include "storage/snapshot_copies.h"
#include "storage/space_watch.h"
#include "storage/worker.h"

namespace holdfast::storage {

struct ImageStoreOptions {
  Location location;                       ///< of the image that the log names
  std::vector<TableDescription> tables;    ///< state::table_descriptions()
  std::string data_id;                     ///< of the log beside it: Identity::data_id
  Poster post;                             ///< to the loop
  FatalHandler fatal;                      ///< on the image thread
  RunnerFactory runner;                    ///< of its work; none: a thread
  SpaceWatch* space = nullptr;             ///< of the log's thread; null: a full disk is fatal
  std::size_t checkpoint_bytes = 4 << 20;  ///< of write-ahead log
};

/// What the image's thread works on.
struct ImageFiles {
  std::unique_ptr<ImageDatabase> image;
  SnapshotCopies copies;
  IncomingSnapshot incoming;
  std::unique_ptr<ImageDatabase> next;  ///< received and ready; takes the place of `image`
};

/// One of these, in the order in which they were asked for.
struct ImageWrite {
  std::vector<RowChange> rows;
  std::vector<node::HistoryPack> history;
};
struct ImageCommit {
  Index applied;
  Callback<void()> durable;
};
struct HistoryRead {
  Revision from;
  std::size_t most_bytes = 0;
  Callback<void(std::vector<node::HistoryRow>)> result;
};
struct ImageTask {
  Callback<void(ImageFiles&)> task;
};
struct ImageReplacement {
  Callback<void()> done;
};
using ImageJob = std::variant<ImageWrite, ImageCommit, HistoryRead, ImageTask, ImageReplacement>;

/// The image on a thread of its own, so that it never delays an append to the log.
///
/// The image must not run ahead of the locally durable log, or a crash would leave state without the log that
/// explains it. That is the caller's duty: node/ calls commit(applied) only once the log is durable up to
/// `applied`; the two databases know nothing of each other. What comes out of it is checked at the next start
/// (storage/restore.h).
///
/// History is read on the same connection, between the slices of an image: rows of the open transaction
/// all have higher revisions than the committed ones, so that a bound on the revision hides them.
///
/// On a full disk the open transaction is rolled back and its slices, which are kept until the commit, are
/// written again when there is space; history is read meanwhile.
///
/// Life: open() -> load() -> start() -> ... -> stop().
class SqliteImageStore final : public node::ImageStore, private WorkerDuty<ImageJob> {
 public:
  /// Opens or creates. Errors: kCorrupt, kStorage, with a way out.
  static Result<std::unique_ptr<SqliteImageStore>> open(ImageStoreOptions options);
  ~SqliteImageStore() override;

  /// Gives every row of every table to `take`, in the order of its key. Requires: not started.
  /// Returns: where the image stands. Errors: those of `take`, kCorrupt, kStorage.
  Result<ImageState> load(const std::function<Result<void>(std::size_t table, const Row& row)>& take);
  /// Then, as ImageDatabase::load_history().
  Result<void> load_history(Revision from,
                            const std::function<Result<void>(const node::HistoryRow& row)>& take);

  void start();
  /// Makes durable what was committed, drops an image that was not, and ends the thread.
  void stop();
  /// Nothing may be asked of it any more. Thread: the loop's.
  bool stopped() const { return stopped_; }

  void write(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) override;
  void commit(Index applied, Callback<void()> durable) override;
  void read_history(Revision from, std::size_t most_bytes,
                    Callback<void(std::vector<node::HistoryRow>)> result) override;

  /// Runs `task` on the image's thread, in its turn. Thread: the loop's, like those below.
  void run(Callback<void(ImageFiles&)> task);
  /// Goes on in ImageFiles::next and removes the files of the image before. Until `done`, writes and commits
  /// are dropped: they are of the state before.
  void replace(Callback<void()> done);

  /// Frames that images since the start have put into the write-ahead log: what they cost. Thread: any.
  std::uint64_t frames_written() const { return frames_written_.load(std::memory_order_relaxed); }

 private:
  explicit SqliteImageStore(ImageStoreOptions options);
  Files& files();
  void work(std::deque<ImageJob>& jobs) override;
  Tidied tidy() override;
  void finish() override;
  void accept(ImageWrite& write);
  void accept(ImageCommit& commit);
  void accept(HistoryRead& read);
  void accept(ImageTask& task);
  void accept(ImageReplacement& replacement);
  void advance();
  void carry_out(ImageCommit& commit);
  bool met_full_disk();
  void checkpoint_if_due();

  const ImageStoreOptions options_;
  SystemFiles system_files_;

  // The owner's until start(), then the image thread's.
  ImageFiles on_;
  // Slices and commits that are not durable yet, in order, and how many of the first are in the transaction.
  std::deque<std::variant<ImageWrite, ImageCommit>> steps_;
  std::size_t steps_done_ = 0;
  bool stalled_ = false;  // by a full disk

  // The loop's. Owners: this, and the task that ends a replacement.
  std::shared_ptr<bool> replacing_ = std::make_shared<bool>(false);

  bool stopped_ = false;  // the owner's
  std::atomic<std::uint64_t> frames_written_ = 0;
  Worker<ImageJob> worker_;  // last: its thread ends before the rest goes
};

}  // namespace holdfast::storage
