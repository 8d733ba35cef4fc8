#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "node/ports/image_store.h"
#include "storage/failure.h"
#include "storage/image_database.h"
#include "storage/worker.h"

namespace holdfast::storage {

struct ImageStoreOptions {
  Location location;
  std::vector<TableDescription> tables;    ///< state::table_descriptions()
  std::string data_id;                     ///< of the log beside it: Identity::data_id
  Poster post;                             ///< to the loop
  FatalHandler fatal;                      ///< on the image thread
  std::size_t checkpoint_bytes = 8 << 20;  ///< of write-ahead log
};

/// One of ImageWrite, ImageCommit, HistoryRead, in the order in which they were asked for.
struct ImageWrite {
  std::vector<RowChange> rows;
  std::vector<node::HistoryRow> history;
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
using ImageJob = std::variant<ImageWrite, ImageCommit, HistoryRead>;

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
/// Life: open() -> load() -> start() -> ... -> stop().
class SqliteImageStore final : public node::ImageStore, private WorkerDuty<ImageJob> {
 public:
  /// Opens or creates. Errors: kCorrupt, kStorage, with a way out.
  static Result<std::unique_ptr<SqliteImageStore>> open(ImageStoreOptions options);
  ~SqliteImageStore() override;

  /// Gives every row of every table to `take`, in the order of its key. Requires: not started.
  /// Returns: where the image stands. Errors: those of `take`, kCorrupt, kStorage.
  Result<ImageState> load(const std::function<Result<void>(std::size_t table, const Row& row)>& take);

  void start();
  /// Makes durable what was committed, drops an image that was not, and ends the thread.
  void stop();

  void write(std::vector<RowChange> rows, std::vector<node::HistoryRow> history) override;
  void commit(Index applied, Callback<void()> durable) override;
  void read_history(Revision from, std::size_t most_bytes,
                    Callback<void(std::vector<node::HistoryRow>)> result) override;

  /// Frames that images since the start have put into the write-ahead log: what they cost. Thread: any.
  std::uint64_t frames_written() const { return frames_written_.load(std::memory_order_relaxed); }

 private:
  explicit SqliteImageStore(ImageStoreOptions options);
  void work(std::deque<ImageJob>& jobs) override;
  bool tidy() override;
  void finish() override;
  void run(ImageWrite& write);
  void run(ImageCommit& commit);
  void run(HistoryRead& read);

  const ImageStoreOptions options_;
  // The owner's until start(), then the image thread's.
  ImageDatabase database_;

  std::atomic<std::uint64_t> frames_written_ = 0;
  Worker<ImageJob> worker_;  // last: its thread ends before the rest goes
};

}  // namespace holdfast::storage
