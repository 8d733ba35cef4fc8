#include "node/imager.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/canary.h"
#include "base/check.h"

namespace holdfast::node {

Imager::Imager(Options options, Loop& loop, ImageStore& store, state::Machine& machine, Driver& driver,
               LogSink& logging, Served served)
    : options_(options),
      loop_(loop),
      store_(store),
      machine_(machine),
      driver_(driver),
      logging_(logging),
      served_(std::move(served)),
      pace_(options.pace, loop.now()),
      image_index_(machine.applied()),
      retention_(options.log, machine.applied()) {}

void Imager::applied(const raft::Entry& entry) {
  pace_.applied(entry.payload.size(), rows(), loop_.now());
  retention_.applied(entry);
}

void Imager::run_if_due() {
  if (state_ == State::kIdle && pace_.begins(rows(), loop_.now())) begin();
}

void Imager::begin() {
  using Walk = state::Machine::Walk;
  pace_.begun(loop_.now());
  const bool rests = machine_.applied() == image_index_;
  const Walk walk = !finished_.empty() ? Walk::kLast
                    : rests            ? Walk::kAtRest
                    : pace_.is_heavy() ? Walk::kUnderLoad
                                       : Walk::kAtIntervals;
  if (machine_.walk_config(walk)) {
    state_ = State::kWalking;
    walked_ = 0;
    return walk_slice();
  }
  if (rests) {
    compact();  // the others may have caught up
    if (!std::exchange(told_of_rest_, true)) loop_.load(Load::kNone);
    for (auto& done : std::exchange(finished_, {})) done();
    return;
  }
  wait_for_log();
}

void Imager::walk_slice() {
  std::vector<RowChange> rows =
      machine_.take_config_rows(std::min(kRowsPerSlice, options_.config_rows - walked_));
  walked_ += rows.size();
  if (!rows.empty()) store_.write(std::move(rows), {});
  if (!machine_.is_walking_config() || walked_ >= options_.config_rows) return wait_for_log();
  loop_.post(lifetime_.guard([this] { walk_slice(); }));
}

void Imager::wait_for_log() {
  state_ = State::kWaitingForLog;
  driver_.apply_only_durable(!HOLDFAST_CANARY(image_ahead_of_the_durable_log));
  go_on();
}

void Imager::go_on() {
  const bool early = HOLDFAST_CANARY(image_ahead_of_the_durable_log);
  if (state_ != State::kWaitingForLog || (driver_.status().durable < machine_.applied() && !early)) return;
  frozen_index_ = machine_.freeze();
  INVARIANT(early || frozen_index_ <= driver_.status().durable,
            "an image above the durable log survives its own log");
  loop_.load(pace_.is_heavy() ? Load::kHeavy : Load::kLight);
  pace_.frozen();
  finishing_ = std::exchange(finished_, {});
  state_ = State::kTaking;
  driver_.apply_only_durable(false);
  take_slice();
}

void Imager::take_slice() {
  std::vector<RowChange> rows = machine_.take_rows(kRowsPerSlice);
  std::vector<HistoryPack> history;
  for (state::HistoryPack& pack : machine_.take_history(kPacksPerSlice)) {
    history.push_back({pack.first, pack.last,
                       [changes = std::move(pack.changes)] { return state::encode_history(changes); }});
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
  trim_history();
  image_index_ = frozen_index_;
  retention_.image_at(image_index_);
  state_ = State::kIdle;
  told_of_rest_ = false;
  logging_.write(LogLevel::kDebug, "image_written", {{"index", image_index_}});
  compact();
  if (machine_.is_walking_config() && !resting_) {
    finished_.insert(finished_.begin(), std::make_move_iterator(finishing_.begin()),
                     std::make_move_iterator(finishing_.end()));
    finishing_.clear();
    return begin();
  }
  for (auto& done : std::exchange(finishing_, {})) done();
  if (resting_) return rest();
  if (!finished_.empty()) begin();
}

void Imager::trim_history() {
  if (machine_.trim_history()) loop_.post(lifetime_.guard([this] { trim_history(); }));
}

void Imager::compact() {
  const Index through = retention_.through(driver_.held_by_all(), served_());
  if (through <= compacted_) return;
  compacted_ = through;
  driver_.compact(compacted_);
}

void Imager::finish(Callback<void()> done) {
  finished_.push_back(std::move(done));
  if (state_ == State::kIdle) begin();
  if (state_ == State::kSuspended) {
    for (auto& each : std::exchange(finished_, {})) each();
  }
}

void Imager::suspend(Callback<void()> resting) {
  resting_ = std::move(resting);
  if (state_ == State::kIdle) rest();
}

void Imager::rest() {
  state_ = State::kSuspended;
  for (auto& done : std::exchange(finished_, {})) done();
  auto resting = std::exchange(resting_, {});
  resting();
}

void Imager::resume() {
  INVARIANT(state_ == State::kSuspended, "only an imager that rests is resumed");
  state_ = State::kIdle;
}

void Imager::replaced() {
  resume();
  image_index_ = machine_.applied();
  compacted_ = std::max(compacted_, image_index_);
  retention_.start_at(image_index_);
  pace_.frozen();
  pace_.begun(loop_.now());
}

/// Of the tables that grow large, and whose rows do not lag.
std::size_t Imager::rows() const { return machine_.registry().all().size() + machine_.leases().all().size(); }

}  // namespace holdfast::node
