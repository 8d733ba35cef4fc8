#include "tests/sim/model_disk.h"

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

ModelDisk::ModelDisk(Schedule& schedule, Random random, const DiskOptions& options)
    : schedule_(schedule),
      random_(random),
      pace_(schedule, random_, options),
      lies_(options.lies),
      power_(std::in_place) {}

Result<Found> ModelDisk::open(const raft::Membership& founding, DiskEvents events) {
  events_ = std::move(events);
  if (image_.applied > durable_.last()) {
    return fail(Errc::kCorrupt, "its image stands above its durable log");
  }
  if (image_.applied < durable_.base) return fail(Errc::kCorrupt, "its log was compacted above its image");
  Found found;
  found.restored = {durable_.hard_state, durable_.base ? durable_.base_membership : founding, durable_.base,
                    durable_.base_term,  {durable_.entries.begin(), durable_.entries.end()},  image_.applied};
  found.machine = std::make_unique<state::Machine>();
  for (const auto& [key, row] : image_.rows) {
    Result<void> loaded = found.machine->load(row.first, row.second);
    INVARIANT(loaded, "an image that was written can be read");
  }
  for (const auto& [first, row] : image_.history) {
    if (row.last < found.machine->history_wanted()) continue;
    Result<void> redone = found.machine->load_history(row.changes);
    INVARIANT(redone, "history that was written can be read");
  }
  Result<void> finished = found.machine->finish_loading();
  INVARIANT(finished, "an image that was written is whole");
  told_full_ = false;
  if (full_) tell_space();
  return found;
}

void ModelDisk::fill() {
  full_ = true;
  room_ = random_.below(20);
  tell_space();
}

void ModelDisk::empty() {
  full_ = false;
  tell_space();
}

/// How it is then.
void ModelDisk::tell_space() {
  schedule_.after(delay(), power_->guard([this] {
    if (told_full_ == full_) return;
    told_full_ = full_;
    events_.space_changed(node::Space{full_, full_ ? 0u : 2u, 1});
  }));
}

void ModelDisk::wipe() {
  durable_ = {};
  issued_ = {};
  image_ = {};
}

void ModelDisk::calm() {
  pace_.calm();
  failing_ = false;
  if (full_) empty();
}

bool ModelDisk::refuses(Callback<void()> again) {
  if (std::exchange(failing_, false)) {
    failed_ = true;
    schedule_.after(Duration(0), power_->guard([this] { events_.failed("a write has failed"); }));
    return true;
  }
  if (!full_) return false;
  if (room_ == 0) {
    schedule_.after(kLookAgain, power_->guard(std::move(again)));
    return true;
  }
  --room_;
  return false;
}

void ModelDisk::carry_out(StoredLog& log, const LogWrite& write) {
  log.write(write.hard_state, write.entries);
  if (write.install) log.install(*write.install);
  log.compact(write.compact_through, write.compact_term, write.at_base);
}

void ModelDisk::write_log(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
                          Callback<void()> durable) {
  issue({hard_state, std::move(entries), {}, {}, {}, std::move(durable)});
}

void ModelDisk::compact_log(Index through, Term term, const raft::Membership& at_base) {
  issue({{}, {}, through, term, at_base, {}});
}

void ModelDisk::issue(LogWrite write) {
  carry_out(issued_, write);
  if (lies_ && write.durable) {
    schedule_.after(Duration(0), power_->guard(std::exchange(write.durable, {})));
  }
  log_writes_.push_back(std::move(write));
  sync_log();
}

void ModelDisk::sync_log() {
  if (syncing_ || log_writes_.empty()) return;
  syncing_ = true;
  schedule_.after(delay(), power_->guard([this, writes = log_writes_.size()] { log_synced(writes); }));
}

void ModelDisk::log_synced(std::size_t writes) {
  if (refuses([this, writes] { log_synced(writes); })) return;
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

void ModelDisk::make_durable(const LogWrite& write) {
  carry_out(durable_, write);
  if (!write.install) return;
  INVARIANT(image_commits_.empty() && open_image_.rows.empty(), "no image is made while one is installed");
  image_ = write.image;
}

void ModelDisk::make_snapshot(Callback<void(Result<node::SnapshotFile>)> done) {
  schedule_.after(delay() * 2, power_->guard([this, done = std::move(done)]() mutable {
    std::string& file = copies_[image_.applied] = to_file(image_);
    done(node::SnapshotFile{image_.applied, file.size(), digest_of(file)});
  }));
}

void ModelDisk::read_snapshot(Index index, std::uint64_t offset, std::size_t most_bytes,
                              Callback<void(Result<Blob>)> done) {
  schedule_.after(delay(), power_->guard([this, index, offset, most_bytes, done = std::move(done)]() mutable {
    auto copy = copies_.find(index);
    if (copy == copies_.end()) return done(fail(Errc::kStorage, "there is no copy at this index"));
    if (offset >= copy->second.size()) return done(Blob());
    done(Blob(copy->second.substr(offset, most_bytes)));
  }));
}

void ModelDisk::begin_file(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) {
  // One after the other, with the writes, as the store's thread does it.
  file_free_ = std::max(file_free_, schedule_.now() + delay());
  schedule_.at(file_free_, power_->guard([this, file, done = std::move(next_offset)]() mutable {
    if (file != receiving_) {
      receiving_ = file;
      received_.clear();
    }
    done(received_.size());
  }));
}

void ModelDisk::write_file(std::uint64_t offset, Blob bytes,
                           Callback<void(Result<std::uint64_t>)> next_offset) {
  file_free_ = std::max(file_free_, schedule_.now() + delay());
  schedule_.at(file_free_, power_->guard([this, offset, bytes, done = std::move(next_offset)]() mutable {
    if (offset == received_.size()) received_ += bytes.view();
    done(received_.size());
  }));
}

Result<StoredImage> ModelDisk::load_file(const raft::Snapshot& at, node::ImageLoader& into) {
  if (received_.size() != receiving_.size || digest_of(received_) != receiving_.digest) {
    return fail(Errc::kCorrupt, "the file is not what was sent");
  }
  Result<StoredImage> image = from_file(received_);
  if (!image) return image;
  if (image->applied != at.index) return fail(Errc::kCorrupt, "the image stands elsewhere");
  for (const auto& [key, row] : image->rows) {
    if (Result<void> taken = into.take(row.first, row.second); !taken) return fail(taken.error());
  }
  for (const auto& [first, row] : image->history) {
    if (row.last < into.history_wanted()) continue;
    if (Result<void> taken = into.take_history(row); !taken) return fail(taken.error());
  }
  if (Result<void> whole = into.finish(); !whole) return fail(whole.error());
  return image;
}

void ModelDisk::install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
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

void ModelDisk::write_image(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) {
  std::move(rows.begin(), rows.end(), std::back_inserter(open_image_.rows));
  for (const node::HistoryPack& pack : history) open_image_.history.push_back(pack.row());
}

void ModelDisk::commit_image(Index applied, Callback<void()> durable) {
  open_image_.applied = applied;
  open_image_.durable = std::move(durable);
  image_commits_.push_back(std::exchange(open_image_, {}));
  schedule_.after(delay() * 3, power_->guard([this] { image_synced(); }));
}

void ModelDisk::image_synced() {
  if (refuses([this] { image_synced(); })) return;
  image_arrived();
}

void ModelDisk::image_arrived() {
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

void ModelDisk::read_history(Revision from, std::size_t most_bytes,
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

void ModelDisk::crash() {
  power_.emplace();
  failed_ = false;
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
    image_arrived();
  }
  image_commits_.clear();
  open_image_ = {};
}

}  // namespace holdfast::sim
