#include "tests/sim/stored_log.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::sim {

const raft::Entry* StoredLog::find(Index index) const {
  if (index <= base || index > last()) return nullptr;
  return &entries[index.value() - base.value() - 1];
}

std::optional<Term> StoredLog::term_at(Index index) const {
  if (index == base) return base_term;
  const raft::Entry* entry = find(index);
  return entry ? std::optional(entry->term) : std::nullopt;
}

void StoredLog::write(const std::optional<raft::HardState>& changed, const std::vector<raft::Entry>& added) {
  if (changed) hard_state = *changed;
  auto first = added.begin();
  if (first != added.end() && first->index <= base) {
    const std::uint64_t at_base = base.value() - first->index.value();
    // Only behind the entry that the base is do they follow it.
    if (at_base >= added.size() || added[at_base].term != base_term) return;
    first += static_cast<std::ptrdiff_t>(at_base + 1);
  }
  if (first == added.end()) return;
  INVARIANT(first->index <= last().next(), "a log is written without gaps");
  entries.resize(first->index.value() - base.value() - 1);
  entries.insert(entries.end(), first, added.end());
}

void StoredLog::compact(Index through, Term term, const raft::Membership& at_base) {
  if (through <= base) return;
  INVARIANT(through <= last(), "a log cannot be compacted beyond its end");
  rebase(through, term, at_base);
}

void StoredLog::install(const raft::Snapshot& at) {
  INVARIANT(at.index > base, "an image is installed above the log's base");
  if (term_at(at.index) != at.term) entries.clear();
  rebase(at.index, at.term, at.membership);
}

void StoredLog::rebase(Index index, Term term, const raft::Membership& membership) {
  const std::uint64_t gone = std::min<std::uint64_t>(entries.size(), index.value() - base.value());
  entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(gone));
  base = index;
  base_term = term;
  base_membership = membership;
}

}  // namespace holdfast::sim
