#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/blob.h"
#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "node/bounds.h"
#include "node/earliest.h"
#include "raft/core.h"
#include "state/reply.h"

/// Commands on their way through the log, and who waits for them.
///
///     add() --> waiting --accepted()--> in the log --resolve()--> applied here, or replaced by another's
///     entry
///                  \--refused()--> never proposed        \--time over--> the caller hears "unknown", but the
///                                                         fate is still awaited: a lease's end may hang on
///                                                         it
///
/// They stay in the order in which they were proposed, which is the order of (term, index).
namespace holdfast::node {

class Proposals {
 public:
  using Done = Callback<void(state::Reply)>;
  /// Told once for every proposal that had `ends`, when its fate is decided and before its Done runs.
  using EndsDecided = std::function<void(const std::vector<LeaseId>&)>;

  explicit Proposals(EndsDecided ends_decided, const Bounds& bounds = {})
      : ends_decided_(std::move(ends_decided)), bounds_(bounds) {}

  /// Errors: kOverloaded, naming the limit.
  Result<void> has_room(std::size_t bytes) const;
  /// Queues a command. `ends` are the leases it would end. `done` runs exactly once, unless cut short by the
  /// end of this object. `bounded`: it is a caller's, for which there must be room; else the leader's own,
  /// which takes nobody's.
  void add(Blob command, Instant deadline, std::vector<LeaseId> ends, Done done, bool bounded = true);

  /// Something waits to be proposed.
  bool any_waiting() const { return waiting_ > 0; }
  /// The leases that those which wait would end.
  std::vector<LeaseId> waiting_ends() const;
  /// Everything that waits, for one Propose; accepted() or refused() must follow.
  std::vector<Blob> take_waiting();
  void accepted(raft::Accepted where);
  void refused(const Error& why);

  /// The entry (index, term) was applied: decides every proposal at or before it. `reply` is for the one that
  /// is that very entry, if there is one.
  void resolve(Index index, Term term, state::Reply reply);

  /// Entries up to `through` are in the state without having been applied here: whether the proposals among
  /// them were is not known, and never will be.
  void passed_over(Index through);

  /// Those still undecided at `deadline` or before are told kUnknown; those never proposed, kUnavailable.
  void expire(Instant now);
  /// Lets nobody wait longer than `deadline`.
  void shorten(Instant deadline);
  /// Tells everybody: `not_proposed` to those that wait, kUnknown to those in the log.
  void give_up(const Error& not_proposed, const Error& unknown);
  Instant due() const { return earliest_.due(); }
  std::size_t size() const { return pending_.size(); }
  /// Somebody is still to be told.
  bool anybody_waits() const;
  void count(Held& held) const;

 private:
  struct Pending {
    Term term;
    Index index;
    Blob command;  ///< only while it waits
    std::size_t bytes = 0;
    Instant deadline;
    std::vector<LeaseId> ends;
    Done done;  ///< empty once told
    bool bounded = true;
  };
  std::deque<Pending>::iterator first_waiting();
  /// Takes out all from there on, and tells.
  void drop(std::deque<Pending>::iterator from, const Error& why);
  void finish(Pending pending, state::Reply reply);

  EndsDecided ends_decided_;
  const Bounds bounds_;
  std::deque<Pending> pending_;  // those in the log, then the `waiting_` last ones
  std::size_t waiting_ = 0;
  // Those that are bounded:
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t taken_ = 0;
  Earliest earliest_;
};

}  // namespace holdfast::node
