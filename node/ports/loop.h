#pragma once

#include "base/callback.h"
#include "base/time.h"

namespace holdfast::node {

/// The loop a node runs on. One thread owns the node and everything it calls back into.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual Instant now() const = 0;
  /// Runs `task` later on the loop, after everything that is already waiting there. Thread: the loop's.
  virtual void post(Callback<void()> task) = 0;
  /// Calls Node::on_alarm() at `when` or soon after; a new alarm replaces the last one.
  virtual void set_alarm(Instant when) = 0;
  /// After some work nothing was applied for as long as an image is put off: a good time for what puts the
  /// process in order and may take a millisecond.
  virtual void quiet() {}
};

}  // namespace holdfast::node
