#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/callback.h"
#include "base/time.h"

namespace holdfast::sim {

/// The world's time and what will happen in it. Nothing passes by itself: step() goes to the next event.
class Schedule {
 public:
  Instant now() const { return now_; }
  void at(Instant when, Callback<void()> event) {
    events_.emplace(std::pair(std::max(when, now_), ++last_), std::move(event));
  }
  void after(Duration delay, Callback<void()> event) { at(now_ + delay, std::move(event)); }

  /// Runs the next event; false if there is none.
  bool step() {
    if (events_.empty()) return false;
    auto node = events_.extract(events_.begin());
    now_ = node.key().first;
    node.mapped()();
    return true;
  }

 private:
  Instant now_ = Instant(std::chrono::seconds(1));
  std::uint64_t last_ = 0;
  // Events of one instant happen in the order in which they were asked for.
  std::map<std::pair<Instant, std::uint64_t>, Callback<void()>> events_;
};

}  // namespace holdfast::sim
