#pragma once

#include <asio/io_context.hpp>
#include <vector>

#include "base/callback.h"

namespace holdfast::net {

/// What streams do once everything that was ready has been answered: write it all at once. The loop runs it;
/// a stream finds it by the io_context of its socket. Thread: the loop's.
class EndOfTurn : public asio::execution_context::service {
 public:
  using key_type = EndOfTurn;
  static asio::execution_context::id id;

  explicit EndOfTurn(asio::execution_context& context) : service(context) {}

  /// Runs `task` once, at the end of this turn of the loop.
  void add(Callback<void()> task) { tasks_.push_back(std::move(task)); }
  bool empty() const { return tasks_.empty(); }
  /// Tasks that a task adds run in the next turn.
  void run() {
    running_.swap(tasks_);
    for (auto& task : running_) {
      task();
    }
    running_.clear();
  }

 private:
  void shutdown() noexcept override {
    tasks_.clear();
    running_.clear();
  }

  std::vector<Callback<void()>> tasks_;
  std::vector<Callback<void()>> running_;
};

}  // namespace holdfast::net
