#include "storage/image_store.h"

#include <utility>

namespace holdfast::storage {

Result<std::unique_ptr<SqliteImageStore>> SqliteImageStore::open(ImageStoreOptions options) {
  try {
    return std::unique_ptr<SqliteImageStore>(new SqliteImageStore(std::move(options)));
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

SqliteImageStore::SqliteImageStore(ImageStoreOptions options)
    : options_(std::move(options)),
      database_(options_.location, options_.tables, options_.data_id),
      worker_(*this, options_.fatal) {}

SqliteImageStore::~SqliteImageStore() { stop(); }

Result<ImageState> SqliteImageStore::load(
    const std::function<Result<void>(std::size_t table, const Row& row)>& take) {
  try {
    if (Result<void> loaded = database_.load(take); !loaded) return fail(loaded.error());
    return database_.state();
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

void SqliteImageStore::start() { worker_.start(); }
void SqliteImageStore::stop() { worker_.stop(); }

void SqliteImageStore::write(std::vector<RowChange> rows, std::vector<node::HistoryRow> history) {
  worker_.add(ImageWrite{std::move(rows), std::move(history)});
}

void SqliteImageStore::commit(Index applied, Callback<void()> durable) {
  worker_.add(ImageCommit{applied, std::move(durable)});
}

void SqliteImageStore::read_history(Revision from, std::size_t most_bytes,
                                    Callback<void(std::vector<node::HistoryRow>)> result) {
  worker_.add(HistoryRead{from, most_bytes, std::move(result)});
}

void SqliteImageStore::work(std::deque<ImageJob>& jobs) {
  for (ImageJob& job : jobs) {
    std::visit([this](auto& each) { run(each); }, job);
  }
}

void SqliteImageStore::run(ImageWrite& write) { database_.write(write.rows, write.history); }

void SqliteImageStore::run(ImageCommit& commit) {
  const int before = database_.wal_frames();
  database_.commit(commit.applied);
  const int after = database_.wal_frames();
  frames_written_.fetch_add(static_cast<std::uint64_t>(after - before), std::memory_order_relaxed);
  if (commit.durable) options_.post(std::move(commit.durable));
}

void SqliteImageStore::run(HistoryRead& read) {
  options_.post([rows = database_.read_history(read.from, read.most_bytes),
                 result = std::move(read.result)]() mutable { result(std::move(rows)); });
}

bool SqliteImageStore::tidy() {
  const std::size_t bytes = static_cast<std::size_t>(database_.wal_frames()) * kFrameBytes;
  if (!database_.in_transaction() && bytes >= options_.checkpoint_bytes) {
    database_.checkpoint(Checkpoint::kPassive);
  }
  return false;
}

void SqliteImageStore::finish() {
  database_.abandon();
  database_.checkpoint(Checkpoint::kTruncate);
}

}  // namespace holdfast::storage
