#pragma once

#include <memory>
#include <thread>

#include "net/event_loop.h"
#include "storage/runner.h"

namespace holdfast::server {

/// The log's thread, woken when what this turn of the loop sends has left: to wake a thread takes longer than
/// to write to a socket, and a leader's followers wait for the entries as its own log does. Owner: the log's
/// store.
class LogRunner final : public storage::Runner {
 public:
  explicit LogRunner(net::EventLoop& loop) : loop_(loop), shared_(std::make_shared<Shared>()) {}

  void start(Turn turn) override { shared_->thread.start(std::move(turn)); }
  void wake() override;
  void stop() override;

 private:
  /// A wake that is due may outlive this runner.
  struct Shared {
    storage::ThreadRunner thread;
    bool wake_due = false;  // the loop's
  };

  net::EventLoop& loop_;
  const std::thread::id loop_thread_ = std::this_thread::get_id();
  std::shared_ptr<Shared> shared_;
};

}  // namespace holdfast::server
