#pragma once

#include <asio/io_context.hpp>
#include <utility>
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
  void add(Callback<void()> task) { due_.waiting.push_back(std::move(task)); }
  /// The same, and the turn ends before anything else that is ready is looked at.
  void add_and_end(Callback<void()> task) {
    add(std::move(task));
    ends_ = true;
  }
  /// Is the turn to end now?
  bool ends() const { return ends_; }
  /// Runs `task` once, when the loop has nothing else to do or has put this off for long: what gains by being
  /// gathered, and does not suffer by waiting while there is work for all.
  void add_patient(Callback<void()> task) { patient_.waiting.push_back(std::move(task)); }
  bool empty() const { return due_.waiting.empty() && patient_.waiting.empty(); }
  /// Tasks that a task adds run in the next turn.
  void run() {
    ends_ = false;
    due_.run();
  }
  void run_patient() { patient_.run(); }

 private:
  struct Tasks {
    std::vector<Callback<void()>> waiting;
    std::vector<Callback<void()>> running;

    void run() {
      running.swap(waiting);
      for (auto& task : running) {
        task();
      }
      running.clear();
    }
  };

  void shutdown() noexcept override {
    due_ = {};
    patient_ = {};
  }

  Tasks due_;
  Tasks patient_;
  bool ends_ = false;
};

}  // namespace holdfast::net
