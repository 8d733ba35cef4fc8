#include "raft/log.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::raft {

namespace {
// So that entries without payload are bounded too.
constexpr std::size_t kEntryOverheadBytes = 32;

std::size_t size_of(const Membership& membership) {
  std::size_t bytes = 0;
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners})
    for (const Member& member : *side)
      bytes += kEntryOverheadBytes + member.name.size() + member.peer_address.size() + member.data_id.size();
  return bytes;
}
}  // namespace

std::size_t size_of(const Entry& entry) {
  return entry.payload.size() + kEntryOverheadBytes + (entry.membership ? size_of(*entry.membership) : 0);
}

Log::Log(Index base_index, Term base_term, std::shared_ptr<const Membership> at_base,
         std::vector<Entry> entries)
    : base_index_(base_index), base_term_(base_term), memberships_(base_index, std::move(at_base)) {
  for (Entry& entry : entries) append(std::move(entry));
}

std::optional<Term> Log::term_at(Index index) const {
  if (index == base_index_) return base_term_;
  if (index < base_index_ || index > last_index()) return std::nullopt;
  return at(index).term;
}

const Entry& Log::at(Index index) const {
  INVARIANT(index > base_index_ && index <= last_index(), "an entry was read that is not in the log");
  return entries_[index.value() - base_index_.value() - 1];
}

bool Log::covered_by(Index last_index, Term last_term) const {
  if (last_term != this->last_term()) return last_term > this->last_term();
  return last_index >= this->last_index();
}

Index Log::last_not_after(Index from, Term term) const {
  if (from <= base_index_) return base_index_;
  const std::size_t count = std::min(from, last_index()).value() - base_index_.value();
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(count);
  const auto first_above = std::upper_bound(
      entries_.begin(), end, term, [](Term wanted, const Entry& entry) { return wanted < entry.term; });
  return base_index_ + static_cast<std::uint64_t>(first_above - entries_.begin());
}

std::vector<Entry> Log::slice(Index first, Index last) const {
  if (first > last) return {};
  INVARIANT(first > base_index_ && last <= last_index(), "entries were read that are not in the log");
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(first.value() - base_index_.value() - 1);
  return {begin, begin + static_cast<std::ptrdiff_t>(last.value() - first.value() + 1)};
}

std::vector<Entry> Log::read(Index first, std::size_t max_bytes) const {
  Index end = first;
  std::size_t bytes = 0;
  while (end <= last_index()) {
    bytes += size_of(at(end));
    if (bytes > max_bytes && end > first) break;
    end = end.next();
  }
  return end == first ? std::vector<Entry>() : slice(first, end.previous());
}

void Log::append(Entry entry) {
  INVARIANT(entry.index == last_index().next(), "a gap or an overlap in the log");
  INVARIANT(entry.term >= last_term(), "terms fall along the log");
  if (entry.kind == EntryKind::kMembership) memberships_.appended(entry);
  entries_.push_back(std::move(entry));
}

void Log::truncate_after(Index index) {
  INVARIANT(index >= base_index_, "compacted entries are committed and never truncated");
  while (last_index() > index) entries_.pop_back();
  memberships_.truncated(index);
}

void Log::compact(Index through) {
  INVARIANT(through <= last_index(), "compaction went past the end of the log");
  while (base_index_ < through) {
    base_index_ = entries_.front().index;
    base_term_ = entries_.front().term;
    entries_.pop_front();
  }
  memberships_.compacted(base_index_);
}

}  // namespace holdfast::raft
