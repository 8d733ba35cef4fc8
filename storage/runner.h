#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace holdfast::storage {

/// What is left to do when no job waits.
enum class Tidied {
  kAll,       ///< nothing
  kMoreNow,   ///< another slice, at once
  kAskLater,  ///< nothing now, but tidy() is to be called again after kAskAgain
};
inline constexpr std::chrono::seconds kAskAgain{1};

/// Calls a worker's turns, one after the other. A thread does so where storage ships; who brings another one
/// decides at what moment storage's work is done, and in which thread, as the simulator must.
class Runner {
 public:
  /// Returns: what is left to do; none: there is no further turn.
  using Turn = std::function<std::optional<Tidied>()>;

  virtual ~Runner() = default;
  /// From now on calls `turn`: soon, after each wake(), and as its result asks for it.
  virtual void start(Turn turn) = 0;
  /// Something was added since the last turn began. Thread: any.
  virtual void wake() = 0;
  /// Returns when the turn that has no further one is over. Requires: the worker has been told to end.
  virtual void stop() = 0;
};

using RunnerFactory = std::function<std::unique_ptr<Runner>()>;

/// A thread of its own.
class ThreadRunner final : public Runner {
 public:
  ~ThreadRunner() override;
  void start(Turn turn) override;
  void wake() override;
  void stop() override;

 private:
  void run();
  void wait(Tidied tidied);

  // Constant after start().
  Turn turn_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;

  std::thread thread_;  // the owner's
};

}  // namespace holdfast::storage
