#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/sim/member.h"
#include "tests/sim/oracle.h"
#include "tests/sim/verdict.h"

namespace holdfast::sim {

/// What Raft promises, looked at after every step of every member.
class Checker {
 public:
  using Members = std::vector<std::unique_ptr<Member>>;

  Checker(Verdict& verdict, Oracle& oracle, const Members& members)
      : verdict_(verdict), oracle_(oracle), members_(members) {}

  void after_step(Member& member);
  /// `member` is about to write. Ref: Raft §5.2, one vote a term; §5.3, Log Matching
  void before_write(const Member& member, const std::optional<raft::HardState>& hard_state,
                    const std::vector<raft::Entry>& entries);
  /// `member` is about to give its word: its disk must have what that depends on.
  void before_send(const Member& member, const raft::Message& message);

 private:
  struct Seen {
    std::uint64_t incarnation = 0;
    Term term;
    Index commit;
    Index applied;
    bool leads = false;
    Index base;  ///< of its log
    std::size_t uncommitted_bytes = 0;
    bool space_low = false;
    std::uint64_t proposals_taken = 0;
  };
  struct Identity {
    std::uint64_t digest = 0;
    Term previous_term;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  void check_monotone(const Member& member, const raft::Status& status, Seen& seen);
  void check_leader(const Member& member, const raft::Status& status, Seen& seen);
  void check_commit(const Member& member, const raft::Status& status, const Seen& seen);
  void check_quorum(Index index, Term term);
  bool is_durable(const raft::Member& voter, Index index, Term term) const;
  void check_membership(const Member& member, Seen& seen);
  void check_memory(const Member& member, const raft::Status& status, Seen& seen);
  void check_callers(const Member& member, Seen& seen);
  void check_applied(const Member& member, const state::Machine& machine);

  Verdict& verdict_;
  Oracle& oracle_;
  const Members& members_;
  std::map<MemberId, Seen> seen_;
  std::size_t largest_entry_ = 0;
  std::map<Term, MemberId> leaders_;
  Term committed_in_;                     // the newest term in which somebody saw something committed
  std::vector<Term> committed_in_terms_;  // for each index that term as of its commit
  std::map<std::pair<Index, Term>, Identity> entries_;
};

}  // namespace holdfast::sim
