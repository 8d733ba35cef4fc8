#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "raft/core.h"

namespace holdfast::raft {

struct Replica;

/// Questions "am I still the leader?" and the confirmation round that answers them: one under way at a time,
/// and whoever asks meanwhile shares the next one. A round begins only after the question came in, so a
/// majority that answers the round still followed this leader after that. Ref: Diss. §6.4
class ReadIndex {
 public:
  void ask(std::uint64_t id) { waiting_.push_back(id); }
  bool may_begin() const { return asked_.empty() && !waiting_.empty(); }
  bool has_waiting() const { return !waiting_.empty(); }

  /// All that wait are asked in `round`; `commit` is what a read after it must have seen. Also begun while
  /// another is under way, if everybody hears from the leader anyway. Requires: rounds increase.
  void begin(std::uint64_t round, Index commit);
  /// Returns: the questions that rounds up to `round` answer.
  std::vector<Confirmed> confirmed(std::uint64_t round);
  /// Returns: every question still open, in order; none stays.
  std::vector<std::uint64_t> give_up();

 private:
  struct Asked {
    std::uint64_t round = 0;
    Confirmed answer;
  };

  std::deque<Asked> asked_;
  std::vector<std::uint64_t> waiting_;
};

/// Answers what a majority has confirmed and begins the next round if one is wanted and may begin: not before
/// the leader has committed an entry of its own term, for until then its commit index may lag behind what was
/// acknowledged. Requires: the replica leads.
void advance_reads(Replica& replica);

}  // namespace holdfast::raft
