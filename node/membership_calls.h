#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "node/earliest.h"
#include "raft/core.h"

/// Operators' calls that wait: for a change of the membership to be committed, or for leadership to arrive
/// where it was sent.
///
///     changing() --a membership that is not joint is applied at or behind it--> done
///          \--another leader's entry is applied in its place--> it had no effect
///          \--the time is over; soon, once this member leads no longer--> unknown: the next leader decides
///
///     transferring() --the other leads--> done
///          \--given up, somebody else leads, or the time is over--> refused
namespace holdfast::node {

class MembershipCalls {
 public:
  /// With the index of the entry that completed the change.
  using Changed = Callback<void(Result<Index>)>;
  using Transferred = Callback<void(Result<void>)>;

  /// The leader has appended the change there.
  void changing(raft::Accepted accepted, Instant deadline, Changed done);
  void applied(const raft::Entry& entry);
  /// The leader has begun to hand over.
  void transferring(MemberId to, std::string name, Instant deadline, Transferred done);
  bool is_transferring() const { return transfer_.has_value(); }
  /// What became of the transfer, if that can be seen.
  void look(const raft::Status& status);

  /// This member leads no longer: nobody is to wait for the next leader longer than that.
  void deposed(Instant deadline);
  /// The state was received from another member: what was waited for may be in it.
  void passed_over();
  void expire(Instant now);
  void fail_all(const Error& why);
  Instant due() const { return earliest_.due(); }

 private:
  struct Change {
    raft::Accepted accepted;
    Instant deadline;
    Changed done;
  };
  struct Transfer {
    MemberId to;
    std::string name;
    Instant deadline;
    Transferred done;
  };
  void give_up(const char* why);
  void answer_transfer(Result<void> answer);

  std::vector<Change> changes_;
  std::optional<Transfer> transfer_;
  Earliest earliest_;
};

}  // namespace holdfast::node
