#include "storage/log_store.h"

#include <utility>

namespace holdfast::storage {
namespace {

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
      identity_(database_.identity()),
      contents_(database_.load()),
      worker_(*this, options_.fatal) {}

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
void SqliteLogStore::stop() { worker_.stop(); }

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
  for (std::size_t next = 0; next < jobs.size();) {
    const std::size_t first = next;
    std::size_t bytes = 0;
    database_.begin();
    while (next < jobs.size() && (next == first || bytes < options_.commit_bytes)) {
      const LogJob& job = jobs[next++];
      std::visit([this](const auto& what) { carry_out(what); }, job.what);
      bytes += bytes_of(job);
    }
    database_.commit();
    commits_.fetch_add(1, std::memory_order_relaxed);

    // One message to the loop for the whole group. Not before the commit: if it fails, nothing is completed.
    std::vector<Callback<void()>> completions;
    for (std::size_t done = first; done < next; ++done) {
      if (jobs[done].durable) completions.push_back(std::move(jobs[done].durable));
    }
    options_.post([completions = std::move(completions)]() mutable {
      for (Callback<void()>& completion : completions) completion();
    });
  }
}

bool SqliteLogStore::tidy() {
  if (static_cast<std::size_t>(database_.wal_frames()) * kFrameBytes >= options_.checkpoint_bytes) {
    database_.checkpoint(Checkpoint::kPassive);
  }
  return database_.remove_compacted(options_.compaction_slice);
}

void SqliteLogStore::finish() { database_.checkpoint(Checkpoint::kTruncate); }

}  // namespace holdfast::storage
