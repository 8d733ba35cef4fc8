#pragma once

#include <asio/steady_timer.hpp>

#include "base/callback.h"
#include "net/event_loop.h"
#include "node/ports/loop.h"
#include "server/huge_pages.h"
#include "server/memory.h"

namespace holdfast::server {

/// A node's loop: that of the process, and one timer. Thread: the loop's.
class NodeLoop final : public node::Loop {
 public:
  explicit NodeLoop(net::EventLoop& loop) : loop_(loop), timer_(loop.io()) {}

  /// What the alarm calls; set before the node asks for one.
  void on_alarm(Callback<void()> alarm) { alarm_ = std::move(alarm); }

  Instant now() const override { return loop_.now(); }
  void post(Callback<void()> task) override { loop_.post(std::move(task)); }
  void at_end_of_turn(Callback<void()> task) override { loop_.at_end_of_turn(std::move(task)); }
  void set_alarm(Instant when) override;
  void load(node::Load load) override {
    manage_memory(load);
    huge_pages_.look();
  }

 private:
  void arm(Instant when);
  void fired();

  net::EventLoop& loop_;
  asio::steady_timer timer_;
  HugePages huge_pages_;
  Callback<void()> alarm_;
  Instant wanted_ = kNever;
  // Never later than wanted_. An alarm that moves away, as a leader's does with everything it sends, leaves
  // the timer alone: it fires early, once, and is set again.
  Instant armed_ = kNever;
};

}  // namespace holdfast::server
