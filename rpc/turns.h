#pragma once

#include <deque>
#include <utility>

#include "base/callback.h"
#include "net/event_loop.h"
#include "node/lifetime.h"

namespace holdfast::rpc {

/// Tasks of which there may be many at once, a bounded number of them in each turn of the loop, so that
/// heartbeats do not wait for them all. In the order in which they were added. Thread: the loop's.
class Turns {
 public:
  explicit Turns(net::EventLoop& loop) : loop_(loop) {}

  void add(Callback<void()> task) {
    waiting_.push_back(std::move(task));
    if (!std::exchange(posted_, true)) post();
  }

 private:
  static constexpr int kTasksATurn = 64;

  void post() {
    loop_.post(lifetime_.guard([this] { run(); }));
  }
  void run() {
    for (int i = 0; i < kTasksATurn && !waiting_.empty(); ++i) {
      Callback<void()> task = std::move(waiting_.front());
      waiting_.pop_front();
      task();
    }
    posted_ = !waiting_.empty();
    if (posted_) post();
  }

  net::EventLoop& loop_;
  std::deque<Callback<void()>> waiting_;
  bool posted_ = false;
  node::Lifetime lifetime_;
};

}  // namespace holdfast::rpc
