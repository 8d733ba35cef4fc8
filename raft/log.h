#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "raft/memberships.h"
#include "raft/types.h"

namespace holdfast::raft {

/// The replicated log in memory: the entries behind the last compacted one. Terms never fall from one entry
/// to the next, and indexes have no gap. Ref: Raft §5.3
class Log {
 public:
  /// Requires: `entries` are consecutive from `base_index` + 1 on; `at_base` is in force at `base_index`.
  Log(Index base_index, Term base_term, std::shared_ptr<const Membership> at_base,
      std::vector<Entry> entries);

  /// The last compacted entry; zero if none ever was.
  Index base_index() const { return base_index_; }
  Index last_index() const { return base_index_ + entries_.size(); }
  Term last_term() const { return entries_.empty() ? base_term_ : entries_.back().term; }
  /// Returns: none below the base and behind the end. Index zero has term zero.
  std::optional<Term> term_at(Index index) const;
  bool matches(Index index, Term term) const { return term_at(index) == term; }
  /// Requires: base_index() < index <= last_index().
  const Entry& at(Index index) const;

  const Memberships& memberships() const { return memberships_; }
  /// Where the membership in force comes from; the base if no entry changed it since.
  Index membership_index() const { return memberships_.index(); }

  /// Is a log that ends so as complete as this one? Ref: Raft §5.4.1
  bool covered_by(Index last_index, Term last_term) const;
  /// Returns: the highest index <= `from` whose term is <= `term`; the base if there is none above it.
  Index last_not_after(Index from, Term term) const;

  /// Returns: entries first..last, both included; empty if first > last. Requires: all of them are here.
  std::vector<Entry> slice(Index first, Index last) const;
  /// Returns: entries from `first` on, as many as fit into `max_bytes`, but at least one if there is any.
  std::vector<Entry> read(Index first, std::size_t max_bytes) const;

  /// Requires: entry.index is last_index() + 1 and its term is not below last_term().
  void append(Entry entry);
  /// Drops everything behind `index`. Requires: base_index() <= index.
  void truncate_after(Index index);
  /// Drops everything up to `through`. Requires: through <= last_index().
  void compact(Index through);

 private:
  Index base_index_;
  Term base_term_;
  std::deque<Entry> entries_;
  Memberships memberships_;  // of the base and of entries_
};

/// What an entry counts against a message's bound: what it carries and what surrounds it.
std::size_t size_of(const Entry& entry);

}  // namespace holdfast::raft
