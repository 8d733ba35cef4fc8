#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/time.h"
#include "holdfast/result.h"

namespace holdfast::sdk {

/// What a watch hands from the I/O thread to the thread that asks for it. It is bounded by who fills it: when
/// push() says that it is full, the next push waits for `on_room`. Thread: any.
template <typename Item>
class EventQueue {
 public:
  /// Items have a weight, in bytes; full from `bound` on. `on_room` runs on the asking thread when half of it
  /// is free again.
  EventQueue(std::size_t bound, std::function<void()> on_room)
      : bound_(bound), on_room_(std::move(on_room)) {}

  /// Returns: true if it is full now.
  bool push(Item item, std::size_t weight) {
    std::lock_guard guard(mutex_);
    items_.emplace_back(std::move(item), weight);
    weight_ += weight;
    full_ = full_ || weight_ >= bound_;
    changed_.notify_one();
    return full_;
  }
  /// Takes the place of all that waits: for states, of which only the newest counts.
  void replace(Item item) {
    std::lock_guard guard(mutex_);
    items_.clear();
    items_.emplace_back(std::move(item), 0);
    changed_.notify_one();
  }
  /// Nothing comes after what waits; only the first reason counts.
  void finish(client::Error error) {
    std::lock_guard guard(mutex_);
    if (!end_) {
      end_ = std::move(error);
    }
    changed_.notify_all();
  }
  /// Ends the wait at once; what waits is dropped.
  void cancel() {
    std::lock_guard guard(mutex_);
    items_.clear();
    end_ = client::Error{client::Errc::kCancelled, "the watch was cancelled"};
    changed_.notify_all();
  }

  /// Waits for at most `limit`, none: as long as it takes. Returns: nullopt if nothing came.
  client::Result<std::optional<Item>> pop(std::optional<Duration> limit) {
    bool room = false;
    std::optional<Item> item;
    {
      std::unique_lock guard(mutex_);
      auto ready = [this]() { return !items_.empty() || end_; };
      if (!limit) {
        changed_.wait(guard, ready);
      } else if (!changed_.wait_for(guard, std::clamp(*limit, Duration(0), kLongest), ready)) {
        return std::optional<Item>();
      }
      if (items_.empty()) {
        return tl::unexpected(*end_);
      }
      item = std::move(items_.front().first);
      weight_ -= items_.front().second;
      items_.pop_front();
      room = full_ && weight_ <= bound_ / 2;
      full_ = full_ && !room;
    }
    if (room) {
      on_room_();
    }
    return item;
  }

 private:
  static constexpr Duration kLongest = std::chrono::hours(24 * 365);  // the library adds it to a clock

  const std::size_t bound_;
  const std::function<void()> on_room_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<std::pair<Item, std::size_t>> items_;
  std::size_t weight_ = 0;
  bool full_ = false;
  std::optional<client::Error> end_;
};

}  // namespace holdfast::sdk
