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
/// One question is out at a time; all that come meanwhile share the next one. A question costs a message to
/// and from every member, so calls that are in no hurry, as renewals are, do not ask one each: they go with
/// the next one that is asked anyway, or wait a little for each other. Ref: Diss. §6.4
namespace holdfast::node {

class Reads {
 public:
  using Ready = Callback<void(Result<void>)>;

  /// So long after a question those that are in no hurry wait for each other.
  static constexpr Duration kGather = milliseconds(2);
  /// Or until together they count for so much.
  static constexpr std::size_t kGatheredWeight = 500;

  void add(Instant deadline, Ready ready);
  /// In no hurry. `weight`: how many such calls it stands for; one that is worth a question gets it at once.
  void add_patient(Instant deadline, std::size_t weight, Ready ready);

  /// There are some to ask for, no question is out, and it is time.
  bool can_ask(Instant now) const { return !waiting_.empty() && !question_ && now >= ask_from(); }
  /// Returns: the id to ask under. Requires: can_ask().
  std::uint64_t ask(Instant now);
  /// The answers. One to a question that is not out any more is ignored.
  void confirmed(std::uint64_t id, Index read_index);
  void unconfirmed(std::uint64_t id, const Error& why);

  /// Everything up to `applied` can be seen: runs those that waited for it.
  void applied(Index applied);
  /// Those whose time is over are told kUnavailable.
  void expire(Instant now);
  void fail_all(const Error& why);
  /// When expire() is due, or a question for those that gather: whoever adds asks at once what can be asked.
  Instant due() const;

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
  bool pressing() const { return urgent_ || gathered_ >= kGatheredWeight; }
  Instant ask_from() const { return pressing() ? Instant::min() : asked_at_ + kGather; }

  std::vector<Read> waiting_;
  bool urgent_ = false;           // one of waiting_ at least is in a hurry
  std::size_t gathered_ = 0;      // what the others count for
  Instant asked_at_ = Instant();  // the last question; what is far in the past cannot be reckoned with
  std::vector<Read> asked_;
  std::deque<Batch> confirmed_;  // read indexes never fall
  std::uint64_t last_id_ = 0;
  std::uint64_t question_ = 0;  // the id that is out, zero if none
  Earliest earliest_;
};

}  // namespace holdfast::node
