#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "raft/core.h"

namespace holdfast::sim {

/// A log as it would be found on a disk. It changes as node::LogStore and node::SnapshotStore say.
struct StoredLog {
  raft::HardState hard_state;
  Index base;
  Term base_term;
  raft::Membership base_membership;  // empty until something was compacted
  std::deque<raft::Entry> entries;   // from base + 1 on

  Index last() const { return base + entries.size(); }
  const raft::Entry* find(Index index) const;
  /// None above the end or below the base.
  std::optional<Term> term_at(Index index) const;

  /// What an installed image has overtaken is left out.
  void write(const std::optional<raft::HardState>& changed, const std::vector<raft::Entry>& added);
  void compact(Index through, Term term, const raft::Membership& at_base);
  void install(const raft::Snapshot& at);

 private:
  void rebase(Index index, Term term, const raft::Membership& membership);
};

}  // namespace holdfast::sim
