#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/changed_rows.h"
#include "base/ids.h"
#include "state/command.h"
#include "state/reply.h"

/// What makes a repeated write happen once: the outcomes of each session that its client has not acknowledged
/// yet. All of it comes from the log, so that every member remembers and forgets the same.
///
///     sequence:   ... | forgotten | acknowledged_below ...... window of outcomes ......
///                        kUnknown                      stored: answered again; not stored: run
/// Ref: Diss. §6.3
namespace holdfast::state {

/// (session, sequence): the order of the outcomes.
using OutcomeKey = std::pair<LeaseId, std::uint64_t>;

struct Session {
  std::uint64_t acknowledged_below = 0;  ///< no outcome with a smaller sequence is kept
  std::size_t outcomes = 0;              ///< kept; at most limits::kSessionWindow. Not stored: it is counted
};

class Sessions {
 public:
  using Table = std::map<LeaseId, Session, std::less<>>;
  using Outcomes = std::map<OutcomeKey, Reply, std::less<>>;

  /// How a stamped command is met. Neither member set: it is to run, and then remember() is called.
  struct Meeting {
    const Reply* remembered = nullptr;  ///< its outcome; valid until the next change
    std::optional<Error> refused;       ///< nothing is to run and nothing to be remembered
  };
  /// Forgets what the stamp acknowledges, then looks the sequence up. Sequences may come in any order within
  /// the window. Requires: the session's lease is live.
  /// Refusals: kUnknown (acknowledged, or below what was: it may have run long ago), kSessionWindowFull,
  /// kInvalidArgument (sequence zero).
  Meeting meet(const Stamp& stamp);
  /// Requires: the stamp was just met and is to run.
  void remember(const Stamp& stamp, const Reply& reply);
  /// Forgets at most `most` outcomes of a session whose lease ends, and the session itself with the last.
  /// Returns: how many.
  std::size_t end_lease(LeaseId session, std::size_t most);

  const Table& all() const { return sessions_; }
  const Outcomes& outcomes() const { return outcomes_; }

  // The image: see base/changed_rows.h. Outcomes and sessions may be loaded in any order.
  void load(LeaseId session, std::uint64_t acknowledged_below);
  void load(OutcomeKey key, Reply reply);
  ChangedRows<LeaseId, Session>& changes() { return changes_; }
  ChangedRows<OutcomeKey, Reply>& outcome_changes() { return outcome_changes_; }
  std::size_t pending() const { return changes_.pending() + outcome_changes_.pending(); }

 private:
  Outcomes::iterator forget(Outcomes::iterator outcome);

  Table sessions_;
  Outcomes outcomes_;
  ChangedRows<LeaseId, Session> changes_;
  ChangedRows<OutcomeKey, Reply> outcome_changes_;
};

}  // namespace holdfast::state
