#pragma once

#include "base/time.h"

namespace holdfast::session {

/// How long the holder of a lease may believe that it still has it, and when its next keepalive is due.
///
/// The service counts a lease's TTL from the moment a keepalive reaches it, which is after it was sent: until
/// (send time of the last acknowledged keepalive) + TTL nobody else can be given what the lease guards. A
/// margin covers clocks that run apart. Instants are of a clock that goes on while the process is stopped or
/// the machine sleeps.
class SafeUntil {
 public:
  /// Of a TTL: two clocks, each off by five per cent in the worst direction, drift apart by less.
  static constexpr int kMarginPercent = 10;

  /// `sent_at`: when the grant was sent for the first time, if it was repeated.
  SafeUntil(milliseconds ttl, Instant sent_at);

  Instant until() const { return until_; }
  bool is_safe(Instant now) const { return now < until_; }
  /// Returns: zero if it is not safe.
  Duration safe_for(Instant now) const;
  milliseconds ttl() const { return ttl_; }

  /// When the next keepalive is to be sent: a third of the TTL after the last one that was acknowledged, a
  /// short while after one that failed; kNever while one is on its way.
  Instant due() const { return due_; }
  /// How long to wait for an answer before asking another member: short enough that two members in a row may
  /// be silent and a third is still asked in time.
  Duration patience() const { return Duration(ttl_) / 6; }

  void sent();
  void acknowledged(Instant sent_at, milliseconds ttl);
  void failed(Instant now);

 private:
  void extend(Instant sent_at);

  milliseconds ttl_;
  Instant until_;
  Instant due_;
};

}  // namespace holdfast::session
