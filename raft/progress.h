#pragma once

#include <deque>

#include "raft/core.h"

namespace holdfast::raft {

/// A leader's view of one other member. `match` < `next` always: nothing that the member is known to have is
/// sent again.
///
///            accepted                      next is compacted                  reset
///   kProbe ------------> kReplicate      kProbe ------------> kNeedsSnapshot ----------> kProbe
///      ^-------------------- |                                       |
///       rejected, or reset                                           +--> kReplicate
///                                                      accepted up to what the log still holds
class Progress {
 public:
  Progress(Index next, Instant now) : last_heard(now), next_(next) {}

  Pace pace() const { return pace_; }
  Index match() const { return match_; }
  Index next() const { return next_; }
  std::size_t in_flight() const { return in_flight_.size(); }
  std::size_t bytes_in_flight() const { return bytes_in_flight_; }

  /// May entries be sent now? Probing, one message at a time; else while the window is open. A probe that was
  /// lost is made up for by the next heartbeat: its answer opens this again.
  /// The window counts messages and the bytes of their entries; the last message may exceed the latter.
  bool may_send_entries(std::size_t max_in_flight, std::size_t max_bytes) const;
  /// Entries up to `last` went out, as may_send_entries() allowed.
  void entries_sent(Index last, std::size_t bytes);

  /// It durably has everything up to `index`; the leader's log begins behind `log_base`. Returns: is that
  /// news?
  bool accepted(Index index, Index log_base);
  /// What was sent behind `previous` did not match; `retry` is the best guess where it will. Returns: false
  /// if the answer is about something long settled.
  bool rejected(Index previous, Index retry);
  /// What was in flight may be lost.
  void reset();
  /// The entry before next is not in the leader's log any more.
  void needs_snapshot();

  // What the leader last heard and said; no invariant binds these together.
  Instant last_heard;                 ///< an answer; or else since when it is awaited
  bool has_answered = false;          ///< this leader, over the connection there is
  std::uint64_t confirmed_round = 0;  ///< the highest round it answered
  Index told_commit;                  ///< the commit it knows of once it has what was sent

 private:
  Pace pace_ = Pace::kProbe;
  bool probe_sent_ = false;
  Index match_;
  Index next_;

  struct Sent {
    Index last;
    std::size_t bytes = 0;
  };
  void forget_in_flight();

  std::deque<Sent> in_flight_;  // the messages with entries not yet acknowledged
  std::size_t bytes_in_flight_ = 0;
};

}  // namespace holdfast::raft
