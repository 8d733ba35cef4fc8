#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "storage/failure.h"
#include "storage/runner.h"

namespace holdfast::storage {

/// What a storage thread does. Thread: all calls come from the worker's.
template <typename Job>
class WorkerDuty {
 public:
  virtual ~WorkerDuty() = default;
  /// Does the jobs in order. Those that are left in `jobs` were not done. May throw StorageFailure.
  virtual void work(std::deque<Job>& jobs) = 0;
  /// One short slice of what may wait (checkpoint, compaction).
  virtual Tidied tidy() = 0;
  /// Everything that was queued was given to work() and no more will come.
  virtual void finish() = 0;
};

/// A queue, and the thread (or other Runner) that works on it. A turn takes everything that is queued at
/// once, so that a duty can group.
///
///     idle --add--> working --(queue empty)--> tidying --(nothing left)--> idle
///
/// The first StorageFailure goes to the fatal handler and is the end; jobs that were not done stay where
/// they are until the worker is destroyed, so that what they own is freed on its owner's thread.
template <typename Job>
class Worker {
 public:
  /// No factory: a thread.
  Worker(WorkerDuty<Job>& duty, FatalHandler fatal, const RunnerFactory& runner)
      : duty_(duty),
        fatal_(std::move(fatal)),
        runner_(runner ? runner() : std::make_unique<ThreadRunner>()) {}
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Jobs added earlier are done first.
  void start() {
    INVARIANT(!stopping_, "a worker is not started again");
    runner_->start([this] { return turn(); });
  }

  /// Does what is queued, then ends the thread. Nothing may be added afterwards.
  void stop() {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    runner_->wake();
    runner_->stop();
  }

  /// Thread: any.
  void add(Job job) {
    {
      const std::lock_guard hold(mutex_);
      INVARIANT(!stopping_, "nothing is written after stop()");
      queue_.push_back(std::move(job));
    }
    runner_->wake();
  }

 private:
  /// Returns: what is left to do; none after the end.
  std::optional<Tidied> turn() {
    try {
      const bool last = take();
      if (last && taken_.empty()) {
        duty_.finish();
        return std::nullopt;
      }
      if (!taken_.empty()) {
        duty_.work(taken_);
        taken_.clear();
      }
      const Tidied tidied = duty_.tidy();
      return last ? Tidied::kMoreNow : tidied;  // nobody will wake it again
    } catch (const StorageFailure& failure) {
      fatal_(failure.what());
      return std::nullopt;
    }
  }

  /// Returns: true if nothing more will come.
  bool take() {
    const std::lock_guard hold(mutex_);
    taken_.swap(queue_);
    return stopping_;
  }

  // Constant after construction.
  WorkerDuty<Job>& duty_;
  FatalHandler fatal_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::deque<Job> queue_;
  bool stopping_ = false;

  std::deque<Job> taken_;           // the turns' while there are any, else the owner's
  std::unique_ptr<Runner> runner_;  // the owner's; last: its thread ends before the rest goes
};

}  // namespace holdfast::storage
