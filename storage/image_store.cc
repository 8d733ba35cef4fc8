#include "storage/image_store.h"

#include <filesystem>
#include <utility>

#include "base/check.h"

namespace holdfast::storage {
namespace {

std::string directory_of(const Location& location) {
  return std::filesystem::path(location.path).parent_path().string();
}

}  // namespace

Result<std::unique_ptr<SqliteImageStore>> SqliteImageStore::open(ImageStoreOptions options) {
  try {
    return std::unique_ptr<SqliteImageStore>(new SqliteImageStore(std::move(options)));
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

SqliteImageStore::SqliteImageStore(ImageStoreOptions options)
    : options_(std::move(options)),
      on_{std::make_unique<ImageDatabase>(options_.location, options_.tables, options_.data_id),
          SnapshotCopies(files(), directory_of(options_.location)),
          IncomingSnapshot(files(), directory_of(options_.location), options_.location.vfs, options_.tables,
                           options_.data_id),
          nullptr},
      worker_(*this, options_.fatal, options_.runner) {}

SqliteImageStore::~SqliteImageStore() { stop(); }

Files& SqliteImageStore::files() {
  return options_.location.files != nullptr ? *options_.location.files : system_files_;
}

Result<ImageState> SqliteImageStore::load(
    const std::function<Result<void>(std::size_t table, const Row& row)>& take) {
  try {
    if (Result<void> loaded = on_.image->load(take); !loaded) return fail(loaded.error());
    return on_.image->state();
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

Result<void> SqliteImageStore::load_history(
    Revision from, const std::function<Result<void>(const node::HistoryRow& row)>& take) {
  try {
    return on_.image->load_history(from, take);
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

void SqliteImageStore::start() { worker_.start(); }
void SqliteImageStore::stop() {
  stopped_ = true;
  on_.incoming.break_off();
  worker_.stop();
}

void SqliteImageStore::write(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) {
  if (!*replacing_) worker_.add(ImageWrite{std::move(rows), std::move(history)});
}

void SqliteImageStore::commit(Index applied, Callback<void()> durable) {
  if (!*replacing_) worker_.add(ImageCommit{applied, std::move(durable)});
}

void SqliteImageStore::read_history(Revision from, std::size_t most_bytes,
                                    Callback<void(std::vector<node::HistoryRow>)> result) {
  worker_.add(HistoryRead{from, most_bytes, std::move(result)});
}

void SqliteImageStore::run(Callback<void(ImageFiles&)> task) { worker_.add(ImageTask{std::move(task)}); }

void SqliteImageStore::replace(Callback<void()> done) {
  *replacing_ = true;
  worker_.add(ImageReplacement{[replacing = replacing_, done = std::move(done)]() mutable {
    *replacing = false;
    done();
  }});
}

// --- On the image's thread

void SqliteImageStore::work(std::deque<ImageJob>& jobs) {
  for (ImageJob& job : jobs) {
    std::visit([this](auto& each) { accept(each); }, job);
  }
}

void SqliteImageStore::accept(ImageWrite& write) {
  steps_.emplace_back(std::move(write));
  if (!stalled_) advance();
}

void SqliteImageStore::accept(ImageCommit& commit) {
  steps_.emplace_back(std::move(commit));
  if (!stalled_) advance();
}

void SqliteImageStore::accept(HistoryRead& read) {
  options_.post([rows = on_.image->read_history(read.from, read.most_bytes),
                 result = std::move(read.result)]() mutable { result(std::move(rows)); });
}

void SqliteImageStore::accept(ImageTask& task) { task.task(on_); }

void SqliteImageStore::accept(ImageReplacement& replacement) {
  INVARIANT(on_.next, "an image is replaced by one that is ready");
  on_.copies.abandon();
  steps_.clear();
  steps_done_ = 0;
  stalled_ = false;
  on_.image->abandon();
  const std::string before = on_.image->path();
  on_.image = std::move(on_.next);
  files().remove(before);
  files().remove(before + "-wal");
  options_.post(std::move(replacement.done));
}

void SqliteImageStore::advance() {
  try {
    while (steps_done_ < steps_.size()) {
      auto& step = steps_[steps_done_];
      if (const auto* write = std::get_if<ImageWrite>(&step)) {
        on_.image->write(write->rows, write->history);
        ++steps_done_;
      } else {
        carry_out(std::get<ImageCommit>(step));
        steps_.erase(steps_.begin(), steps_.begin() + static_cast<std::ptrdiff_t>(steps_done_) + 1);
        steps_done_ = 0;
      }
    }
  } catch (const DiskFull&) {
    if (!met_full_disk()) throw;
  }
}

void SqliteImageStore::carry_out(ImageCommit& commit) {
  const int before = on_.image->wal_frames();
  on_.image->commit(commit.applied);
  const int after = on_.image->wal_frames();
  frames_written_.fetch_add(static_cast<std::uint64_t>(after - before), std::memory_order_relaxed);
  if (commit.durable) options_.post(std::move(commit.durable));
}

/// Returns: false if nobody watches the space, and nothing would ever go on.
bool SqliteImageStore::met_full_disk() {
  on_.image->abandon();
  steps_done_ = 0;
  stalled_ = true;
  if (options_.space != nullptr) options_.space->report_full();
  return options_.space != nullptr;
}

Tidied SqliteImageStore::tidy() {
  if (std::exchange(stalled_, false)) advance();
  checkpoint_if_due();
  if (on_.copies.advance(*on_.image)) return Tidied::kMoreNow;
  return stalled_ ? Tidied::kAskLater : Tidied::kAll;
}

void SqliteImageStore::checkpoint_if_due() {
  const std::size_t bytes = static_cast<std::size_t>(on_.image->wal_frames()) * frame_bytes(kPageBytes);
  if (on_.image->in_transaction() || on_.copies.holds_file() || bytes < options_.checkpoint_bytes) return;
  try {
    on_.image->checkpoint(Checkpoint::kTruncate);  // nobody waits for this thread
  } catch (const DiskFull&) {
    // Every frame is still in the write-ahead log; it is tried again when the next image was written.
    if (options_.space == nullptr) throw;
    options_.space->report_full();
  }
}

void SqliteImageStore::finish() {
  on_.image->abandon();
  try {
    on_.image->checkpoint(Checkpoint::kTruncate);
  } catch (const DiskFull&) {
    if (options_.space == nullptr) throw;
  }
}

}  // namespace holdfast::storage
