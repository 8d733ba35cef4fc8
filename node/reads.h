#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "node/earliest.h"

/// Calls that may look at the state only once this member has proved that it still leads: linearizable reads,
/// and renewals of leases.
///
///     add() --> waiting --ask()--> asked (one id for all) --confirmed()--> until applied --> ready
///
/// One question is out at a time; all that come meanwhile share the next one. Ref: Diss. §6.4
namespace holdfast::node {

class Reads {
 public:
  using Ready = Callback<void(Result<void>)>;

  void add(Instant deadline, Ready ready);

  /// There are some to ask for, and no question is out.
  bool can_ask() const { return !waiting_.empty() && !question_; }
  /// Returns: the id to ask under. Requires: can_ask().
  std::uint64_t ask();
  /// The answers. One to a question that is not out any more is ignored.
  void confirmed(std::uint64_t id, Index read_index);
  void unconfirmed(std::uint64_t id, const Error& why);

  /// Everything up to `applied` can be seen: runs those that waited for it.
  void applied(Index applied);
  /// Those whose time is over are told kUnavailable.
  void expire(Instant now);
  void fail_all(const Error& why);
  Instant due() const { return earliest_.due(); }

 private:
  struct Read {
    Instant deadline;
    Ready ready;
  };
  struct Batch {
    Index read_index;
    std::vector<Read> reads;
  };
  void take_overdue(std::vector<Read>& from, Instant now, std::vector<Ready>& overdue);

  std::vector<Read> waiting_;
  std::vector<Read> asked_;
  std::deque<Batch> confirmed_;  // read indexes never fall
  std::uint64_t last_id_ = 0;
  std::uint64_t question_ = 0;  // the id that is out, zero if none
  Earliest earliest_;
};

}  // namespace holdfast::node
