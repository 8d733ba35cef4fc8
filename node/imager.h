#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/logging.h"
#include "base/time.h"
#include "node/driver.h"
#include "node/image_pace.h"
#include "node/lifetime.h"
#include "node/log_retention.h"
#include "node/ports/image_store.h"
#include "node/ports/loop.h"
#include "raft/types.h"
#include "state/machine.h"

/// Writes the machine's image behind its back, a slice a turn of the loop, and shortens the log once an image
/// is durable.
///
///     idle --due--> walking --enough rows--> waiting for the own log --durable--> taking slices --all-->
///     committing --durable--> idle, or on with the next image, if the walk has not ended
///
/// The walk brings up rows of the configuration, if it pays; they are taken as they are at the time, before
/// the image's index is fixed: config/lagging_rows.h.
///
/// An image never stands above what is durable in the own log: a crash would leave state without its log.
/// While it waits for that, nothing that is not durable here is applied, so that the wait has an end.
///
/// While another member's image is being installed it rests: suspend() until resume() or replaced().
namespace holdfast::node {

class Imager {
 public:
  struct Options {
    ImagePace::Options pace;
    LogRetention::Options log;
    /// That one image brings up, at most: until an image is durable all of it is in memory.
    std::size_t config_rows;
    std::size_t history_memory_bytes;
  };
  static constexpr std::size_t kRowsPerSlice = 256;
  static constexpr std::size_t kPacksPerSlice = 2;

  /// An image at that index is being sent to somebody, whose log must go on from there.
  using Served = std::function<std::optional<Index>()>;

  Imager(Options options, Loop& loop, ImageStore& store, state::Machine& machine, Driver& driver,
         LogSink& logging, Served served);
  Imager(const Imager&) = delete;
  Imager& operator=(const Imager&) = delete;

  void applied(const raft::Entry& entry);
  void log_durable() { go_on(); }
  /// Begins an image if one is due.
  void run_if_due();
  /// Writes an image as soon as it can, if there is anything new; then runs `done`.
  void finish(Callback<void()> done);
  /// Begins no more images; runs `resting` when none is under way.
  void suspend(Callback<void()> resting);
  void resume();
  /// The machine became that of another member's image, and so did the stored image. Requires: suspended.
  void replaced();
  /// Of the newest durable image.
  Index newest() const { return image_index_; }
  /// When run_if_due() is due.
  Instant due() const { return state_ == State::kIdle ? pace_.due() : kNever; }

 private:
  enum class State { kIdle, kWalking, kWaitingForLog, kTaking, kCommitting, kSuspended };
  void begin();
  void walk_slice();
  void wait_for_log();
  void go_on();
  void take_slice();
  void image_durable();
  void trim_history();
  void compact();
  void rest();
  std::size_t rows() const;

  // Constant after construction.
  const Options options_;
  Loop& loop_;
  ImageStore& store_;
  state::Machine& machine_;
  Driver& driver_;
  LogSink& logging_;
  const Served served_;

  // Owned by the loop.
  State state_ = State::kIdle;
  std::size_t walked_ = 0;  // rows, for the image that is being made
  ImagePace pace_;
  Index image_index_;  // of the newest durable image
  Index frozen_index_;
  bool told_of_rest_ = true;  // since the newest image
  LogRetention retention_;
  Index compacted_;
  Callback<void()> resting_;                 // told instead of the next image's beginning
  std::vector<Callback<void()>> finished_;   // wait for the next image
  std::vector<Callback<void()>> finishing_;  // wait for this one
  Lifetime lifetime_;
};

}  // namespace holdfast::node
