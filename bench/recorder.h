#pragma once

#include <kj/async.h>
#include <kj/string.h>

#include <functional>
#include <string>

#include "bench/load.h"
#include "net/event_loop.h"

namespace holdfast::bench {

/// Counts what a run does, and tells of it once a second.
class Recorder {
 public:
  Recorder(net::EventLoop& loop, const std::function<void(const Progress&)>& progress);

  /// The clock starts; what was recorded before is forgotten.
  void begin();
  /// The clock stops, or stopped when the last of what was waited for came.
  void end() { end(loop_.now()); }
  void end(Instant when);

  /// Something that was due (closed loop: sent) then has succeeded now, and counts for `weight` operations.
  void success(Instant due, std::uint64_t weight = 1);
  void failure(kj::StringPtr why);
  void extra(std::string name, std::uint64_t value);

  Instant started() const { return started_; }
  const Figures& figures() const { return figures_; }
  Figures& figures() { return figures_; }
  Figures take() { return std::move(figures_); }

 private:
  kj::Promise<void> tell();

  net::EventLoop& loop_;
  const std::function<void(const Progress&)>& progress_;
  Instant started_;
  std::uint64_t told_count_ = 0;
  Instant told_at_;
  Figures figures_;
  kj::Promise<void> telling_ = kj::READY_NOW;
};

}  // namespace holdfast::bench
