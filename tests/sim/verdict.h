#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/digest.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

/// The first broken promise of a run, and a digest of all that happened in it.
class Verdict {
 public:
  explicit Verdict(const Schedule& schedule) : schedule_(schedule) {}

  /// Only the first one counts: what comes after it is its consequence.
  void fail(std::string what) {
    if (failure_) return;
    auto at = std::chrono::duration_cast<milliseconds>(schedule_.now().time_since_epoch()).count();
    failure_ = "at " + std::to_string(at) + " ms: " + std::move(what);
  }
  const std::optional<std::string>& failure() const { return failure_; }

  /// Something happened; the same seed must give the same trace.
  template <typename... Parts>
  void trace(const Parts&... parts) {
    trace_.add(static_cast<std::uint64_t>(schedule_.now().time_since_epoch().count()));
    (trace_.add(parts), ...);
  }
  std::uint64_t trace_digest() const { return trace_.value(); }

 private:
  const Schedule& schedule_;
  std::optional<std::string> failure_;
  Digest trace_;
};

}  // namespace holdfast::sim
