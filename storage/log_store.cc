#include "storage/log_store.h"

#include <iterator>
#include <utility>

namespace holdfast::storage {
namespace {

constexpr int kLooksUntilQuiet = 4;  // kAskAgain apart, the first right after the work

std::size_t bytes_of(const LogJob& job) {
  std::size_t bytes = 0;
  const auto* write = std::get_if<LogWrite>(&job.what);
  if (write == nullptr) return 0;
  for (const raft::Entry& entry : write->entries) bytes += entry.payload.size();
  return bytes;
}

}  // namespace

Result<std::unique_ptr<SqliteLogStore>> SqliteLogStore::open(LogStoreOptions options) {
  try {
    return std::unique_ptr<SqliteLogStore>(new SqliteLogStore(std::move(options)));
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

SqliteLogStore::SqliteLogStore(LogStoreOptions options)
    : options_(std::move(options)),
      database_(options_.location),
      random_(options_.seed),
      checkpoint_at_(random_.between(options_.checkpoint_bytes / 2, options_.checkpoint_bytes)),
      identity_(database_.identity()),
      contents_(database_.load()),
      worker_(*this, options_.fatal, options_.runner) {}

SqliteLogStore::~SqliteLogStore() { stop(); }

Result<void> SqliteLogStore::set_identity(Identity identity) {
  try {
    identity_ = database_.set_identity(std::move(identity));
    return {};
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

void SqliteLogStore::start() { worker_.start(); }
void SqliteLogStore::stop() {
  stopped_ = true;
  worker_.stop();
}

void SqliteLogStore::write(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                           Callback<void()> durable) {
  worker_.add(LogJob{LogWrite{hard_state, std::move(entries)}, std::move(durable)});
}

void SqliteLogStore::compact(Index through, Term term, const raft::Membership& at_base) {
  worker_.add(LogJob{LogCompaction{{through, term, at_base}}, {}});
}

void SqliteLogStore::install(raft::Snapshot at, std::string image_file, Callback<void()> durable) {
  worker_.add(LogJob{LogInstallation{std::move(at), std::move(image_file)}, std::move(durable)});
}

void SqliteLogStore::carry_out(const LogWrite& write) { database_.write(write.hard_state, write.entries); }

void SqliteLogStore::carry_out(const LogCompaction& compaction) {
  const raft::Snapshot& base = compaction.base;
  database_.compact(base.index, base.term, base.membership);
}

void SqliteLogStore::carry_out(const LogInstallation& installation) {
  database_.install(installation.base, installation.image_file);
}

void SqliteLogStore::work(std::deque<LogJob>& jobs) {
  std::move(jobs.begin(), jobs.end(), std::back_inserter(jobs_));
  jobs.clear();
  looks_since_work_ = 0;
  if (!stalled_) advance();
}

void SqliteLogStore::advance() {
  while (!jobs_.empty()) {
    try {
      complete(commit_group());
    } catch (const DiskFull&) {
      if (options_.space == nullptr) throw;
      database_.rollback();
      if (worth_another_try()) continue;
      stalled_ = true;
      return;
    }
  }
}

/// Returns: how many of the first jobs are durable now.
std::size_t SqliteLogStore::commit_group() {
  std::size_t count = 0;
  std::size_t bytes = 0;
  database_.begin();
  while (count < jobs_.size() && (count == 0 || bytes < options_.commit_bytes)) {
    const LogJob& job = jobs_[count++];
    std::visit([this](const auto& what) { carry_out(what); }, job.what);
    bytes += bytes_of(job);
  }
  database_.commit();
  commits_.fetch_add(1, std::memory_order_relaxed);
  return count;
}

/// One message to the loop for the whole group. Not before the commit: if it fails, nothing is completed.
void SqliteLogStore::complete(std::size_t jobs) {
  std::vector<Callback<void()>> completions;
  for (; jobs > 0; --jobs) {
    if (jobs_.front().durable) completions.push_back(std::move(jobs_.front().durable));
    jobs_.pop_front();
  }
  options_.post([completions = std::move(completions)]() mutable {
    for (Callback<void()>& completion : completions) completion();
  });
}

bool SqliteLogStore::worth_another_try() { return options_.space->disk_is_full(); }

Tidied SqliteLogStore::tidy() {
  const bool retried = std::exchange(stalled_, false);
  if (retried) advance();
  if (options_.space == nullptr) return remove_and_checkpoint() ? Tidied::kMoreNow : Tidied::kAll;
  options_.space->look();  // a microsecond beside a commit's two hundred
  if (!stalled_ && remove_and_checkpoint()) return Tidied::kMoreNow;
  if (!stalled_) shrink_if_quiet();
  return Tidied::kAskLater;
}

/// Returns: true if there is more to remove.
bool SqliteLogStore::remove_and_checkpoint() {
  try {
    checkpoint_if_due();
    return database_.remove_compacted(options_.compaction_slice);
  } catch (const DiskFull&) {
    // Nothing is lost: the frames are still in the write-ahead log, and the rows no longer count.
    if (options_.space == nullptr) throw;
    options_.space->disk_is_full();
    return false;
  }
}

void SqliteLogStore::checkpoint_if_due() {
  if (database_.wal_bytes() < checkpoint_at_) return;
  database_.checkpoint(Checkpoint::kPassive);
  checkpoint_at_ = random_.between(options_.checkpoint_bytes / 2, options_.checkpoint_bytes);
}

void SqliteLogStore::shrink_if_quiet() {
  if (++looks_since_work_ != kLooksUntilQuiet) return;
  const LogDatabase::Room room = database_.room();
  if (room.free < options_.shrink_from_bytes || room.free < room.used) return;
  try {
    database_.shrink();
  } catch (const DiskFull&) {
    // It takes space to make space: the file stays as it is until the log was written to again.
  }
}

void SqliteLogStore::finish() {
  if (stalled_) return;  // what still waits was never acknowledged
  try {
    database_.checkpoint(Checkpoint::kTruncate);
  } catch (const DiskFull&) {
    if (options_.space == nullptr) throw;
  }
}

}  // namespace holdfast::storage
