#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/ids.h"
#include "base/limits.h"

namespace holdfast::session {

/// What makes a write exactly-once: the service runs a (session, sequence) one time, whatever is sent how
/// often. Zero session: none.
struct Stamp {
  LeaseId session;
  std::uint64_t sequence = 0;
  std::uint64_t acknowledged_below = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

/// Numbers the writes of one session. A number is taken when a write begins and given back when its caller
/// has been told the outcome; only then may the service forget that outcome.
///
/// Invariant: next - lowest open number <= window, so that the service never has to refuse for a full window.
/// Ref: Diss. §6.3
class Sequence {
 public:
  /// Requires: session is not zero; window > 0.
  explicit Sequence(LeaseId session, std::uint64_t window = limits::kSessionWindow);

  LeaseId session() const { return session_; }

  /// Returns: the next number; nullopt while the window is full: try again after an end().
  std::optional<std::uint64_t> begin();
  /// The stamp to send the open number `sequence` with; a repetition may carry a newer acknowledgement.
  Stamp stamp(std::uint64_t sequence) const;
  /// The caller of `sequence` knows its outcome, or was told that nobody does. Requires: it is open.
  void end(std::uint64_t sequence);

  std::size_t open() const { return open_.size(); }

 private:
  std::uint64_t acknowledged_below() const { return open_.empty() ? next_ : *open_.begin(); }

  LeaseId session_;
  std::uint64_t window_;
  std::uint64_t next_ = 1;
  std::set<std::uint64_t> open_;
};

}  // namespace holdfast::session
