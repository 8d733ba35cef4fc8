#include "storage/runner.h"

#include <utility>

#include "base/check.h"

namespace holdfast::storage {

ThreadRunner::~ThreadRunner() { stop(); }

void ThreadRunner::start(Turn turn) {
  INVARIANT(!thread_.joinable(), "a thread is started once");
  turn_ = std::move(turn);
  thread_ = std::thread([this] { run(); });
}

void ThreadRunner::wake() {
  {
    const std::lock_guard hold(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

void ThreadRunner::stop() {
  if (thread_.joinable()) thread_.join();
}

void ThreadRunner::run() {
  while (const std::optional<Tidied> tidied = turn_()) wait(*tidied);
}

void ThreadRunner::wait(Tidied tidied) {
  std::unique_lock hold(mutex_);
  const auto called = [this] { return woken_; };
  if (tidied == Tidied::kAll) wake_.wait(hold, called);
  if (tidied == Tidied::kAskLater) wake_.wait_for(hold, kAskAgain, called);
  woken_ = false;
}

}  // namespace holdfast::storage
