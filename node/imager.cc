#include "node/imager.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast::node {

Imager::Imager(Options options, Loop& loop, ImageStore& store, state::Machine& machine, Driver& driver,
               LogSink& logging)
    : options_(options),
      loop_(loop),
      store_(store),
      machine_(machine),
      driver_(driver),
      logging_(logging),
      due_(loop.now() + options.interval),
      image_index_(machine.applied()) {}

void Imager::applied(const raft::Entry& entry) {
  bytes_since_image_ += entry.payload.size();
  if (bytes_since_image_ >= options_.after_bytes) due_ = loop_.now();
}

void Imager::run_if_due() {
  if (state_ != State::kIdle || loop_.now() < due_) return;
  begin();
}

void Imager::begin() {
  due_ = loop_.now() + options_.interval;
  if (machine_.applied() == image_index_) {
    compact();  // the others may have caught up
    for (auto& done : std::exchange(finished_, {})) done();
    return;
  }
  state_ = State::kWaitingForLog;
  driver_.apply_only_durable(true);
  go_on();
}

void Imager::go_on() {
  if (state_ != State::kWaitingForLog || driver_.status().durable < machine_.applied()) return;
  frozen_index_ = machine_.freeze();
  INVARIANT(frozen_index_ <= driver_.status().durable, "an image above the durable log survives its own log");
  bytes_since_image_ = 0;
  finishing_ = std::exchange(finished_, {});
  state_ = State::kTaking;
  driver_.apply_only_durable(false);
  take_slice();
}

void Imager::take_slice() {
  std::vector<RowChange> rows = machine_.take_rows(kRowsPerSlice);
  std::vector<HistoryRow> history;
  for (state::HistoryPack& pack : machine_.take_history(kPacksPerSlice)) {
    history.push_back({pack.first, pack.last, std::move(pack.changes)});
  }
  if (!rows.empty() || !history.empty()) {
    store_.write(std::move(rows), std::move(history));
    loop_.post(lifetime_.guard([this] { take_slice(); }));
    return;
  }
  state_ = State::kCommitting;
  store_.commit(frozen_index_, lifetime_.guard([this] { image_durable(); }));
}

void Imager::image_durable() {
  machine_.image_durable(options_.history_memory_bytes);
  image_index_ = frozen_index_;
  state_ = State::kIdle;
  logging_.write(LogLevel::kDebug, "image_written", {{"index", image_index_}});
  compact();
  for (auto& done : std::exchange(finishing_, {})) done();
  if (!finished_.empty()) begin();
}

void Imager::compact() {
  Index through = std::min(image_index_, driver_.held_by_all());
  if (through.value() <= compacted_.value() + options_.log_entries_kept) return;
  compacted_ = Index(through.value() - options_.log_entries_kept);
  driver_.compact(compacted_);
}

void Imager::finish(Callback<void()> done) {
  finished_.push_back(std::move(done));
  if (state_ == State::kIdle) begin();
}

}  // namespace holdfast::node
