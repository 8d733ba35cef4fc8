#include "tests/sim/disk.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/rows.h"

namespace holdfast::sim {

namespace {

std::string key_of(const RowChange& change) {
  std::string key = std::to_string(change.table);
  for (std::size_t i = 0; i < state::table_descriptions().at(change.table).key_columns; ++i) {
    const Cell& cell = change.cells.at(i);
    std::string text = std::holds_alternative<std::int64_t>(cell)  ? std::to_string(std::get<0>(cell))
                       : std::holds_alternative<std::string>(cell) ? std::get<1>(cell)
                                                                   : std::string(std::get<2>(cell).view());
    key += "/" + std::to_string(text.size()) + ":" + text;
  }
  return key;
}

}  // namespace

const raft::Entry* StoredLog::find(Index index) const {
  if (index <= base || index > last()) return nullptr;
  return &entries[index.value() - base.value() - 1];
}

std::optional<Term> StoredLog::term_at(Index index) const {
  if (index == base) return base_term;
  const raft::Entry* entry = find(index);
  return entry ? std::optional(entry->term) : std::nullopt;
}

Disk::Disk(Schedule& schedule, Random random, DiskOptions options)
    : schedule_(schedule), random_(random), options_(options), power_(std::in_place) {}

void Disk::carry_out(StoredLog& log, const LogWrite& write) {
  if (write.hard_state) log.hard_state = *write.hard_state;
  if (!write.entries.empty()) {
    INVARIANT(write.entries.front().index > log.base && write.entries.front().index <= log.last().next(),
              "a log is written without gaps and above its base");
    log.entries.resize(write.entries.front().index.value() - log.base.value() - 1);
    log.entries.insert(log.entries.end(), write.entries.begin(), write.entries.end());
  }
  if (write.install) {
    INVARIANT(write.install->index > log.base, "an image is installed above the log's base");
    const bool holds_it = log.term_at(write.install->index) == write.install->term;
    auto gone = holds_it ? log.entries.begin() +
                               static_cast<std::ptrdiff_t>(write.install->index.value() - log.base.value())
                         : log.entries.end();
    log.entries.erase(log.entries.begin(), gone);
    log.base = write.install->index;
    log.base_term = write.install->term;
    log.base_membership = write.install->membership;
  }
  if (write.compact_through > log.base) {
    INVARIANT(write.compact_through <= log.last(), "a log cannot be compacted beyond its end");
    auto count = static_cast<std::ptrdiff_t>(write.compact_through.value() - log.base.value());
    log.entries.erase(log.entries.begin(), log.entries.begin() + count);
    log.base = write.compact_through;
    log.base_term = write.compact_term;
    log.base_membership = write.at_base;
  }
}

void Disk::write_log(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                     Callback<void()> durable) {
  issue({hard_state, std::move(entries), {}, {}, {}, std::move(durable)});
}

void Disk::compact_log(Index through, Term term, const raft::Membership& at_base) {
  issue({{}, {}, through, term, at_base, {}});
}

void Disk::issue(LogWrite write) {
  carry_out(issued_, write);
  if (options_.lies && write.durable) {
    schedule_.after(Duration(0), power_->guard(std::exchange(write.durable, {})));
  }
  log_writes_.push_back(std::move(write));
  sync_log();
}

void Disk::sync_log() {
  if (syncing_ || log_writes_.empty()) return;
  syncing_ = true;
  schedule_.after(delay(), power_->guard([this, writes = log_writes_.size()] { log_synced(writes); }));
}

void Disk::log_synced(std::size_t writes) {
  syncing_ = false;
  std::vector<Callback<void()>> durable;
  for (; writes > 0; --writes) {
    make_durable(log_writes_.front());
    if (log_writes_.front().durable) durable.push_back(std::move(log_writes_.front().durable));
    log_writes_.pop_front();
  }
  sync_log();
  for (auto& done : durable) schedule_.after(Duration(0), power_->guard(std::move(done)));
}

void Disk::make_durable(const LogWrite& write) {
  carry_out(durable_, write);
  if (!write.install) return;
  INVARIANT(image_commits_.empty() && open_image_.rows.empty(), "no image is made while one is installed");
  image_ = write.image;
}

void Disk::make_snapshot(Callback<void(Result<node::SnapshotFile>)> done) {
  schedule_.after(delay() * 2, power_->guard([this, done = std::move(done)]() mutable {
    std::string& file = copies_[image_.applied] = to_file(image_);
    done(node::SnapshotFile{image_.applied, file.size(), digest_of(file)});
  }));
}

void Disk::read_snapshot(Index index, std::uint64_t offset, std::size_t most_bytes,
                         Callback<void(Result<Blob>)> done) {
  schedule_.after(delay(), power_->guard([this, index, offset, most_bytes, done = std::move(done)]() mutable {
    auto copy = copies_.find(index);
    if (copy == copies_.end()) return done(fail(Errc::kStorage, "there is no copy at this index"));
    if (offset >= copy->second.size()) return done(Blob());
    done(Blob(copy->second.substr(offset, most_bytes)));
  }));
}

void Disk::begin_file(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) {
  schedule_.after(delay(), power_->guard([this, file, done = std::move(next_offset)]() mutable {
    if (file != receiving_) {
      receiving_ = file;
      received_.clear();
    }
    done(received_.size());
  }));
}

void Disk::write_file(std::uint64_t offset, Blob bytes, Callback<void(Result<std::uint64_t>)> next_offset) {
  // One after the other, as the store's thread does it.
  file_free_ = std::max(file_free_, schedule_.now()) + delay();
  schedule_.at(file_free_, power_->guard([this, offset, bytes, done = std::move(next_offset)]() mutable {
    if (offset == received_.size()) received_ += bytes.view();
    done(received_.size());
  }));
}

Result<StoredImage> Disk::load_file(const raft::Snapshot& at, node::RowLoader& into) {
  if (received_.size() != receiving_.size || digest_of(received_) != receiving_.digest) {
    return fail(Errc::kCorrupt, "the file is not what was sent");
  }
  Result<StoredImage> image = from_file(received_);
  if (!image) return image;
  if (image->applied != at.index) return fail(Errc::kCorrupt, "the image stands elsewhere");
  for (const auto& [key, row] : image->rows) {
    if (Result<void> taken = into.take(row.first, row.second); !taken) return fail(taken.error());
  }
  if (Result<void> whole = into.finish(); !whole) return fail(whole.error());
  return image;
}

void Disk::install(raft::Snapshot at, std::shared_ptr<node::RowLoader> into,
                   Callback<void(Result<void>)> done) {
  schedule_.after(delay() * 3, power_->guard([this, at, into, done = std::move(done)]() mutable {
    Result<StoredImage> image = load_file(at, *into);
    receiving_ = {};
    received_.clear();
    if (!image) return done(fail(image.error()));
    LogWrite write;
    write.install = at;
    write.image = *std::move(image);
    write.durable = [done = std::move(done)]() mutable { done({}); };
    issue(std::move(write));
  }));
}

void Disk::write_image(std::vector<RowChange> rows, std::vector<node::HistoryRow> history) {
  std::move(rows.begin(), rows.end(), std::back_inserter(open_image_.rows));
  std::move(history.begin(), history.end(), std::back_inserter(open_image_.history));
}

void Disk::commit_image(Index applied, Callback<void()> durable) {
  open_image_.applied = applied;
  open_image_.durable = std::move(durable);
  image_commits_.push_back(std::exchange(open_image_, {}));
  schedule_.after(delay() * 3, power_->guard([this] { image_synced(); }));
}

void Disk::image_synced() {
  ImageWrite write = std::move(image_commits_.front());
  image_commits_.pop_front();
  for (RowChange& change : write.rows) {
    std::string key = key_of(change);
    if (change.removed) {
      image_.rows.erase(key);
    } else {
      image_.rows.insert_or_assign(std::move(key), std::pair(change.table, std::move(change.cells)));
    }
  }
  for (node::HistoryRow& row : write.history) image_.history.insert_or_assign(row.first, std::move(row));
  image_.applied = write.applied;
  schedule_.after(Duration(0), power_->guard(std::move(write.durable)));
}

void Disk::read_history(Revision from, std::size_t most_bytes,
                        Callback<void(std::vector<node::HistoryRow>)> result) {
  schedule_.after(delay(), power_->guard([this, from, most_bytes, done = std::move(result)]() mutable {
    std::vector<node::HistoryRow> rows;
    std::size_t bytes = 0;
    for (const auto& [first, row] : image_.history) {
      if (row.last < from) continue;
      if (!rows.empty() && bytes >= most_bytes) break;
      bytes += row.changes.size();
      rows.push_back(row);
    }
    done(std::move(rows));
  }));
}

void Disk::crash() {
  power_.emplace();
  // The disk may have taken some of what it had not yet confirmed, in order.
  std::size_t arrived = log_writes_.empty() ? 0 : random_.below(log_writes_.size() + 1);
  for (std::size_t i = 0; i < arrived; ++i) make_durable(log_writes_[i]);
  log_writes_.clear();
  copies_.clear();
  receiving_ = {};
  received_.clear();
  syncing_ = false;
  issued_ = durable_;
  // An image above the durable log must never be found: not even if it arrived unnoticed.
  if (!image_commits_.empty() && random_.chance(50)) {
    image_commits_.front().durable = [] {};
    image_synced();
  }
  image_commits_.clear();
  open_image_ = {};
}

void Disk::calm() {
  options_.stall_percent = 0;
  stalled_until_ = {};
}

Duration Disk::delay() {
  if (schedule_.now() < stalled_until_) return stalled_until_ - schedule_.now();
  if (random_.chance(options_.stall_percent)) return options_.stall;
  return Duration(
      static_cast<Duration::rep>(random_.between(static_cast<std::uint64_t>(options_.fastest.count()),
                                                 static_cast<std::uint64_t>(options_.slowest.count()))));
}

}  // namespace holdfast::sim
