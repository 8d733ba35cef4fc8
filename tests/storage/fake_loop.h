#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "storage/failure.h"

/// The loop's side of a store: completions wait here until the test runs them on its own thread.
class FakeLoop {
 public:
  holdfast::storage::Poster poster() {
    return [this](holdfast::Callback<void()> task) {
      const std::lock_guard hold(mutex_);
      tasks_.push_back(std::move(task));
      changed_.notify_all();
    };
  }
  holdfast::storage::FatalHandler fatal_handler() {
    return [this](const std::string& message) {
      const std::lock_guard hold(mutex_);
      fatal_.push_back(message);
      changed_.notify_all();
    };
  }

  /// Runs completions as they come until `done()`, or until a store has failed.
  template <typename Done>
  void run_until(Done done) {
    while (!done()) {
      std::deque<holdfast::Callback<void()>> tasks;
      {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [this] { return !tasks_.empty() || !fatal_.empty(); });
        if (tasks_.empty()) return;
        tasks.swap(tasks_);
      }
      for (auto& task : tasks) task();
    }
  }
  /// Runs what is there.
  void run_ready() {
    std::deque<holdfast::Callback<void()>> tasks;
    {
      const std::lock_guard hold(mutex_);
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
  }
  std::vector<std::string> fatal() {
    const std::lock_guard hold(mutex_);
    return fatal_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<holdfast::Callback<void()>> tasks_;
  std::vector<std::string> fatal_;
};
