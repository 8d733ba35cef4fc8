#pragma once

#include "base/callback.h"
#include "base/time.h"

namespace holdfast::node {

enum class Load {
  kNone,   ///< since an image's interval; what takes a millisecond is not noticed now
  kLight,  ///< less in an image's interval than makes one due
  kHeavy,
};

/// The loop a node runs on. One thread owns the node and everything it calls back into.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual Instant now() const = 0;
  /// Runs `task` later on the loop, after everything that is already waiting there. Thread: the loop's.
  virtual void post(Callback<void()> task) = 0;
  /// Runs `task` when the loop has done what is ready, behind what was queued for that before: so streams
  /// write, and the log's thread is woken. Thread: the loop's.
  virtual void at_end_of_turn(Callback<void()> task) { post(std::move(task)); }
  /// Calls Node::on_alarm() at `when` or soon after; a new alarm replaces the last one.
  virtual void set_alarm(Instant when) = 0;
  /// How much is applied, told at each image and once if there was nothing to write: for what the process
  /// does besides, in its own time.
  virtual void load(Load) {}
};

}  // namespace holdfast::node
