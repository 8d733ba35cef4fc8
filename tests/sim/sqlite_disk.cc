#include "tests/sim/sqlite_disk.h"

#include <algorithm>

#include "base/check.h"
#include "state/rows.h"
#include "storage/file_names.h"
#include "storage/restore.h"

namespace holdfast::sim {

namespace {

constexpr std::uint64_t kCapacity = std::uint64_t{4} << 30;  // more than a world of large values writes
constexpr std::uint64_t kThreshold = 256 << 10;
constexpr std::uint64_t kBallast = 64 << 10;

/// Is that what `log` says?
bool same(const StoredLog& log, const raft::Restored& found) {
  if (log.hard_state != found.hard_state || log.base != found.base_index) return false;
  if (log.base && (log.base_term != found.base_term || log.base_membership != found.membership)) return false;
  return std::equal(log.entries.begin(), log.entries.end(), found.entries.begin(), found.entries.end());
}

std::string describe(const raft::HardState& state, Index base, Index last) {
  return "term " + std::to_string(state.term.value()) + ", entries behind " + std::to_string(base.value()) +
         " up to " + std::to_string(last.value());
}

/// Of a write-ahead log, the bytes whose damage can be told from a write that the power cut tore: those with
/// two commits behind them. Ref: https://www.sqlite.org/fileformat2.html#walformat
std::size_t guarded_bytes(std::string_view wal) {
  constexpr std::size_t kHeader = 32;
  if (wal.size() < kHeader) return 0;
  std::size_t page = 0;
  for (const char byte : wal.substr(8, 4)) page = (page << 8) | static_cast<unsigned char>(byte);
  const std::size_t frame = 24 + page;
  const std::string_view salts = wal.substr(16, 8);
  std::deque<std::size_t> commits;  // where the last three end
  for (std::size_t at = kHeader; at + frame <= wal.size() && wal.substr(at + 8, 8) == salts; at += frame) {
    if (wal.substr(at + 4, 4) == std::string_view("\0\0\0\0", 4)) continue;
    commits.push_back(at + frame);
    if (commits.size() > 3) commits.pop_front();
  }
  return commits.size() == 3 ? commits.front() : 0;
}

}  // namespace

SqliteDisk::SqliteDisk(Schedule& schedule, Random random, const DiskOptions& options)
    : schedule_(schedule),
      random_(random),
      pace_(schedule, random_, options),
      files_(random_.next()),
      vfs_(files_) {
  seed_sqlite(static_cast<std::uint32_t>(random_.next()));
  files_.set_capacity(kCapacity);
}

SqliteDisk::~SqliteDisk() { let_go(); }

// --- A process comes

Result<Found> SqliteDisk::open(const raft::Membership& founding, DiskEvents events) {
  events_ = std::move(events);
  process_.emplace();
  Result<Found> found = open_stores(founding);
  if (!found) {
    let_go();
    return found;
  }
  stores_.space->tell([this](const node::Space& space) { events_.space_changed(space); });
  stores_.log->start();
  stores_.image->start();
  return found;
}

/// In the order in which server/ opens it.
Result<Found> SqliteDisk::open_stores(const raft::Membership& founding) {
  if (Result<void> opened = open_log(founding); !opened) return fail(opened.error());
  storage::LogContents contents = stores_.log->take_contents();
  try {
    storage::remove_strays(whole_files_, "", contents.image_file);
  } catch (const storage::StorageFailure& failure) {
    return fail(failure.to_error());
  }
  if (Result<void> opened = open_image(contents.image_file); !opened) return fail(opened.error());
  stores_.snapshots = std::make_unique<storage::SqliteSnapshotStore>(*stores_.image, *stores_.log, poster());

  Found found;
  found.machine = std::make_unique<state::Machine>();
  Result<storage::ImageState> stands =
      stores_.image->load([&](std::size_t table, const Row& row) { return found.machine->load(table, row); });
  if (!stands) return fail(stands.error());
  Result<void> redone = stores_.image->load_history(
      found.machine->history_wanted(),
      [&](const node::HistoryRow& row) { return found.machine->load_history(row.changes); });
  if (!redone) return fail(redone.error());
  if (Result<void> whole = found.machine->finish_loading(); !whole) return fail(whole.error());
  Result<raft::Restored> restored = storage::restore(*stores_.log->identity(), std::move(contents), *stands);
  if (!restored) return fail(restored.error());
  if (Result<void> kept = compare(*restored); !kept) return fail(kept.error());
  found.restored = *std::move(restored);
  return found;
}

Result<void> SqliteDisk::open_log(const raft::Membership& founding) {
  storage::SpaceOptions space;
  space.files = &whole_files_;
  space.threshold_bytes = kThreshold;
  space.ballast_bytes = kBallast;
  space.post = poster();
  auto watch = storage::SpaceWatch::open(std::move(space));
  if (!watch) return fail(watch.error());
  stores_.space = *std::move(watch);

  storage::LogStoreOptions options;
  options.location = {storage::kLogFile, vfs_.name(), &whole_files_};
  options.post = poster();
  options.fatal = fatal_handler();
  options.runner = runner(log_runner_, 1);
  options.space = stores_.space.get();
  options.commit_bytes = random_.between(500, 20'000);
  options.checkpoint_bytes = random_.between(20'000, 300'000);
  options.compaction_slice = random_.between(1, 40);
  options.shrink_from_bytes = 16 << 10;
  auto log = storage::SqliteLogStore::open(std::move(options));
  if (!log) return fail(log.error());
  stores_.log = *std::move(log);
  if (stores_.log->identity()) return {};
  storage::Identity identity;
  identity.cluster = ClusterId(1);
  identity.member = MemberId(1);
  identity.name = "member";
  identity.membership = founding;
  return stores_.log->set_identity(std::move(identity));
}

Result<void> SqliteDisk::open_image(const std::string& image_file) {
  storage::ImageStoreOptions options;
  options.location = {image_file.empty() ? storage::kFirstImageFile : image_file, vfs_.name(), &whole_files_};
  options.tables = state::table_descriptions();
  options.data_id = stores_.log->identity()->data_id;
  options.post = poster();
  options.fatal = fatal_handler();
  options.runner = runner(image_runner_, 3);
  options.space = stores_.space.get();
  options.checkpoint_bytes = random_.between(20'000, 300'000);
  auto image = storage::SqliteImageStore::open(std::move(options));
  if (!image) return fail(image.error());
  stores_.image = *std::move(image);
  return {};
}

/// What was acknowledged must be there, and of what was not the first part, or nothing.
Result<void> SqliteDisk::compare(const raft::Restored& found) {
  StoredLog expected = durable_;
  bool kept = false;
  for (std::size_t arrived = 0; !kept; ++arrived) {
    kept = same(expected, found);
    if (!kept && installing_ && expected.base < installing_->index) {
      StoredLog installed = expected;
      installed.install(*installing_);
      kept = same(installed, found);
    }
    if (arrived == pending_.size()) break;
    if (!kept) carry_out(expected, pending_[arrived]);
  }
  const Index last = found.base_index + found.entries.size();
  if (!kept) {
    return fail(Errc::kCorrupt,
                "it had a log of " + describe(durable_.hard_state, durable_.base, durable_.last()) +
                    ", and finds one of " + describe(found.hard_state, found.base_index, last));
  }
  if (found.applied < image_durable_) {
    return lose("it had an image at " + std::to_string(image_durable_.value()) + ", and finds one at " +
                std::to_string(found.applied.value()));
  }
  durable_ = {found.hard_state,
              found.base_index,
              found.base_term,
              found.base_index ? found.membership : raft::Membership{},
              {found.entries.begin(), found.entries.end()}};
  issued_ = durable_;
  image_durable_ = found.applied;
  pending_.clear();
  installing_.reset();
  return {};
}

Result<void> SqliteDisk::lose(const std::string& what) {
  events_.lost(what);
  return fail(Errc::kCorrupt, what);
}

storage::Poster SqliteDisk::poster() {
  return [this](Callback<void()> task) { schedule_.after(Duration(0), process_->guard(std::move(task))); };
}

storage::FatalHandler SqliteDisk::fatal_handler() {
  return [this](const std::string& why) {
    failed_ = harmed();
    schedule_.after(Duration(0), process_->guard([this, why] { events_.failed(why); }));
  };
}

storage::RunnerFactory SqliteDisk::runner(ScheduledRunner*& made, int weight) {
  return [this, &made, weight] {
    auto runner = std::make_unique<ScheduledRunner>(schedule_, pace_, weight);
    made = runner.get();
    return runner;
  };
}

// --- A process goes

void SqliteDisk::crash() {
  const bool power = random_.chance(70);
  // What is under way when it happens is on its way to the disk.
  const bool log_first = random_.chance(50);
  break_off(log_first ? log_runner_ : image_runner_);
  break_off(log_first ? image_runner_ : log_runner_);
  files_.fail_at(1, Fault::kPowerCut);
  failing_ = failed_ = false;
  let_go();
  if (!power) return files_.forget_fault();
  constexpr Loss kLosses[] = {Loss::kOmit, Loss::kTear, Loss::kGarble};
  files_.restart(kLosses[random_.below(3)]);
}

/// The process ends somewhere in a turn.
void SqliteDisk::break_off(ScheduledRunner* runner) {
  if (runner == nullptr || !runner->is_called() || random_.chance(30)) return;
  files_.fail_at(random_.between(1, 12), Fault::kPowerCut);
  runner->run();
}

void SqliteDisk::close() {
  if (!stores_.log) return;
  stores_.log->stop();
  stores_.image->stop();
  let_go();
}

/// Nothing of the process is left.
void SqliteDisk::let_go() {
  process_.emplace();
  if (log_runner_ != nullptr) log_runner_->end();
  if (image_runner_ != nullptr) image_runner_->end();
  log_runner_ = nullptr;
  image_runner_ = nullptr;
  stores_.snapshots.reset();
  stores_.image.reset();
  stores_.log.reset();
  stores_.space.reset();
}

// --- The log

std::uint64_t SqliteDisk::issue(Pending pending) {
  pending.number = ++last_number_;
  carry_out(issued_, pending);
  pending_.push_back(std::move(pending));
  return last_number_;
}

void SqliteDisk::carry_out(StoredLog& log, const Pending& pending) {
  log.write(pending.hard_state, pending.entries);
  log.compact(pending.compaction.index, pending.compaction.term, pending.compaction.membership);
}

/// Writes become durable in their order, so this one and all before it are.
void SqliteDisk::arrived(std::uint64_t number) {
  for (; !pending_.empty() && pending_.front().number <= number; pending_.pop_front()) {
    carry_out(durable_, pending_.front());
  }
}

void SqliteDisk::write_log(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                           Callback<void()> durable) {
  const std::uint64_t number = issue({0, hard_state, entries, {}});
  stores_.log->write(hard_state, std::move(entries), [this, number, durable = std::move(durable)]() mutable {
    arrived(number);
    durable();
  });
}

void SqliteDisk::compact_log(Index through, Term term, const raft::Membership& at_base) {
  issue({0, {}, {}, {through, term, at_base}});
  stores_.log->compact(through, term, at_base);
}

// --- The image, and images of others

void SqliteDisk::write_image(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) {
  stores_.image->write(std::move(rows), std::move(history));
}

void SqliteDisk::commit_image(Index applied, Callback<void()> durable) {
  stores_.image->commit(applied, [this, applied, durable = std::move(durable)]() mutable {
    image_durable_ = std::max(image_durable_, applied);
    durable();
  });
}

void SqliteDisk::read_history(Revision from, std::size_t most_bytes,
                              Callback<void(std::vector<node::HistoryRow>)> result) {
  stores_.image->read_history(from, most_bytes, std::move(result));
}

void SqliteDisk::make_snapshot(Callback<void(Result<node::SnapshotFile>)> done) {
  stores_.snapshots->make(std::move(done));
}

void SqliteDisk::read_snapshot(Index index, std::uint64_t offset, std::size_t most_bytes,
                               Callback<void(Result<Blob>)> done) {
  stores_.snapshots->read(index, offset, most_bytes, std::move(done));
}

void SqliteDisk::release_snapshot(Index index) { stores_.snapshots->release(index); }

void SqliteDisk::begin_file(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) {
  stores_.snapshots->begin(std::move(file), std::move(next_offset));
}

void SqliteDisk::write_file(std::uint64_t offset, Blob bytes,
                            Callback<void(Result<std::uint64_t>)> next_offset) {
  stores_.snapshots->write(offset, std::move(bytes), std::move(next_offset));
}

void SqliteDisk::install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
                         Callback<void(Result<void>)> done) {
  installing_ = at;
  stores_.snapshots->install(at, std::move(into),
                             [this, at, done = std::move(done)](Result<void> result) mutable {
                               installing_.reset();
                               if (result) {
                                 issued_.install(at);
                                 durable_.install(at);
                                 image_durable_ = at.index;
                               }
                               done(std::move(result));
                             });
}

// --- Trouble

void SqliteDisk::fail_a_write() {
  failing_ = true;
  files_.fail_at(random_.between(1, 20), Fault::kIoError);
}

void SqliteDisk::fill() {
  full_ = true;
  const std::uint64_t left = random_.below(kThreshold * 5 / 4);
  const std::uint64_t used = files_.used_bytes();
  files_.set_taken(used + left < kCapacity ? kCapacity - used - left : 0);
}

void SqliteDisk::empty() {
  full_ = false;
  files_.set_taken(0);
}

void SqliteDisk::wipe() {
  files_.erase();
  damaged_ = false;
  durable_ = {};
  issued_ = {};
  pending_.clear();
  installing_.reset();
  image_durable_ = {};
}

void SqliteDisk::calm() {
  pace_.calm();
  if (failing_) files_.forget_fault();
  failing_ = false;
  empty();
}

bool SqliteDisk::flip_bit() {
  std::vector<std::pair<std::string, std::size_t>> places;  // a file, and how much of it is looked at
  for (const std::string& name : files_.names()) {
    const bool wal = name.ends_with("-wal");
    if (!wal && !name.ends_with(".db")) continue;
    const std::string bytes = files_.contents(name);
    const std::size_t size = wal ? guarded_bytes(bytes) : bytes.size();
    if (size > 0) places.emplace_back(name, size);
  }
  if (places.empty()) return false;
  const auto& [name, size] = places[random_.below(places.size())];
  files_.flip_bit(name, random_.below(size), static_cast<unsigned>(random_.below(8)));
  damaged_ = true;
  return true;
}

}  // namespace holdfast::sim
