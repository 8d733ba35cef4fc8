#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/check.h"
#include "storage/failure.h"

namespace holdfast::storage {

/// What is left to do when no job waits.
enum class Tidied {
  kAll,       ///< nothing
  kMoreNow,   ///< another slice, at once
  kAskLater,  ///< nothing now, but tidy() is to be called again after kAskAgain
};
inline constexpr std::chrono::seconds kAskAgain{1};

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

/// A thread with a queue. It takes everything that is queued at once, so that a duty can group.
///
///     idle --add--> working --(queue empty)--> tidying --(nothing left)--> idle
///
/// The first StorageFailure goes to the fatal handler and ends the thread; jobs that were not done stay where
/// they are until the worker is destroyed, so that what they own is freed on its owner's thread.
template <typename Job>
class Worker {
 public:
  Worker(WorkerDuty<Job>& duty, FatalHandler fatal) : duty_(duty), fatal_(std::move(fatal)) {}
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Jobs added earlier are done first.
  void start() {
    INVARIANT(!thread_.joinable() && !stopping_, "a worker is started once");
    thread_ = std::thread([this] { run(); });
  }

  /// Does what is queued, then ends the thread. Nothing may be added afterwards.
  void stop() {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  /// Thread: any.
  void add(Job job) {
    {
      const std::lock_guard hold(mutex_);
      INVARIANT(!stopping_, "nothing is written after stop()");
      queue_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    try {
      Tidied tidied = duty_.tidy();
      while (take(tidied)) {
        if (!taken_.empty()) {
          duty_.work(taken_);
          taken_.clear();
        }
        tidied = duty_.tidy();
      }
      duty_.finish();
    } catch (const StorageFailure& failure) {
      fatal_(failure.what());
    }
  }

  /// Waits for jobs unless there is something to tidy. Returns: false when it is time to end.
  bool take(Tidied tidied) {
    std::unique_lock hold(mutex_);
    const auto called = [this] { return !queue_.empty() || stopping_; };
    if (tidied == Tidied::kAll) wake_.wait(hold, called);
    if (tidied == Tidied::kAskLater) wake_.wait_for(hold, kAskAgain, called);
    if (queue_.empty() && stopping_) return false;
    taken_.swap(queue_);
    return true;
  }

  // Constant after construction.
  WorkerDuty<Job>& duty_;
  FatalHandler fatal_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool stopping_ = false;

  // The worker thread's while it runs, else the owner's.
  std::deque<Job> taken_;
  std::thread thread_;  // the owner's
};

}  // namespace holdfast::storage
