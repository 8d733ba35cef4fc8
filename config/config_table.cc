#include "config/config_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/canary.h"

namespace holdfast::config {

namespace {

tl::unexpected<Error> mismatch(std::string_view key, Revision expected, Revision present) {
  const std::string name = "key \"" + std::string(key) + "\" ";
  const std::string found =
      present ? "is at revision " + std::to_string(present.value()) : std::string("does not exist");
  const std::string wanted = expected ? "revision " + std::to_string(expected.value()) + " was expected"
                                      : std::string("it was expected not to exist");
  return fail(Errc::kRevisionMismatch, name + found + ", but " + wanted + "; read it again and decide anew",
              present);
}

// A place in the index is far away: so many rows are read while one's comes.
constexpr std::size_t kLoadedAhead = 16;

/// The row stays where it is in the table: its key is the same.
void replace(ConfigTable::Table::iterator row, Change change) {
  const_cast<Change&>(*row) = std::move(change);
}

template <typename Iterator>
std::size_t count_up_to(Iterator first, Iterator last, std::size_t most) {
  std::size_t count = 0;
  for (; first != last && count < most; ++first) ++count;
  return count;
}

}  // namespace

KeyRange KeyRange::one(std::string_view key) { return {std::string(key), std::string(key) + '\0'}; }

KeyRange KeyRange::prefix(std::string_view text) {
  // The first key behind all that start with `text`: its last byte that can be raised, raised.
  std::string end(text);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return {std::string(text), std::move(end)};
}

bool KeyRange::contains(std::string_view key) const { return key >= begin && (end.empty() || key < end); }

bool KeyRange::is_one_key() const {
  return end.size() == begin.size() + 1 && end.back() == '\0' && end.starts_with(begin);
}

Result<std::size_t> ConfigTable::put(const Put& put, Revision at, std::vector<Change>& changes) {
  const auto* place = index_.find(put.key);
  const Change* const row = place ? &*place->row : nullptr;
  const Revision present = row ? row->mod_revision() : Revision();
  const bool ignored = HOLDFAST_CANARY(compare_and_swap_without_comparing);
  if (put.expected && *put.expected != present && !ignored) return mismatch(put.key, *put.expected, present);

  const LeaseId lease_before = row ? row->lease() : LeaseId();
  if (lease_before != put.lease) {
    detach(lease_before, put.key);
    attach(put.lease, put.key);
  }
  const Change change =
      Change::put(put.key, put.value.view(),
                  {row ? row->create_revision() : at, at, row ? row->version() + 1 : 1, put.lease});
  lagging_.changed();
  if (row) {
    replace(place->row, change);
  } else {
    insert(change);
  }
  changes.push_back(change);
  return std::size_t{1};
}

Result<std::size_t> ConfigTable::remove(const Delete& remove, Revision at, std::vector<Change>& changes) {
  if (remove.expected) {
    if (!remove.range.is_one_key()) {
      return fail(Errc::kInvalidArgument, "an expected revision goes with one key, not with a range of keys");
    }
    const Change* const row = find(remove.range.begin);
    const Revision present = row ? row->mod_revision() : Revision();
    if (*remove.expected != present) return mismatch(remove.range.begin, *remove.expected, present);
  }
  auto [first, last] = range(remove.range);
  const std::size_t most = remove.most.value_or(rows_.size());
  if (!remove.partial && count_up_to(first, last, most + 1) > most) {
    return fail(Errc::kLimitExceeded, "the range has more keys than the " + std::to_string(most) +
                                          " that one command deletes; delete it in parts");
  }
  std::size_t count = 0;
  while (first != last && count < most) {
    first = erase(first, at, changes);
    ++count;
  }
  return count;
}

std::size_t ConfigTable::end_lease(LeaseId lease, std::size_t most, Revision at,
                                   std::vector<Change>& changes) {
  std::size_t count = 0;
  for (auto keys = by_lease_.find(lease); count < most && keys != by_lease_.end();
       keys = by_lease_.find(lease)) {
    const auto* place = index_.find(*keys->second.begin());
    INVARIANT(place, "a lease lists a key that does not exist");
    erase(place->row, at, changes);
    ++count;
  }
  return count;
}

void ConfigTable::prefetch(std::span<const std::string_view> keys) const {
  for (const std::string_view key : keys) index_.prefetch(key);
  for (const std::string_view key : keys) {
    if (const auto* place = index_.guess(key)) __builtin_prefetch(&*place->row);
  }
  for (const std::string_view key : keys) {
    if (const auto* place = index_.guess(key)) place->row->prefetch();
  }
}

const Change* ConfigTable::find(std::string_view key) const {
  const auto* place = index_.find(key);
  return place ? &*place->row : nullptr;
}

std::pair<ConfigTable::Table::const_iterator, ConfigTable::Table::const_iterator> ConfigTable::range(
    const KeyRange& range) const {
  if (range.is_one_key()) {
    const auto* place = index_.find(range.begin);
    if (place) return {place->row, std::next(Table::const_iterator(place->row))};
    return {rows_.end(), rows_.end()};
  }
  if (!range.end.empty() && range.end <= range.begin) return {rows_.end(), rows_.end()};
  return {rows_.lower_bound(range.begin), range.end.empty() ? rows_.end() : rows_.lower_bound(range.end)};
}

std::size_t ConfigTable::count(const KeyRange& keys) const {
  const auto [first, last] = range(keys);
  return static_cast<std::size_t>(std::distance(first, last));
}

const std::set<std::string, std::less<>>* ConfigTable::attached_to(LeaseId lease) const {
  const auto found = by_lease_.find(lease);
  return found == by_lease_.end() ? nullptr : &found->second;
}

void ConfigTable::load(Change row) {
  attach(row.lease(), row.key());
  // An image gives its rows in the order of their keys.
  const bool is_last = rows_.empty() || rows_.rbegin()->key() < row.key();
  const auto at = is_last ? rows_.end() : rows_.lower_bound(row.key());
  if (!is_last && at->key() == row.key()) return replace(at, std::move(row));
  loading_.push_back(rows_.insert(at, std::move(row)));
  index_.prefetch(loading_.back()->key());
  index_loaded(kLoadedAhead);
}

void ConfigTable::loaded(Revision through, Revision image) {
  index_loaded(0);
  lagging_.loaded(through, image);
}

void ConfigTable::index_loaded(std::size_t keep) {
  for (; loading_.size() > keep; loading_.pop_front()) index_.add(loading_.front());
}

void ConfigTable::redo(std::span<const Change> changes) {
  std::vector<std::string_view> keys;
  while (!changes.empty()) {
    const auto together = changes.first(std::min(changes.size(), kLoadedAhead));
    keys.clear();
    for (const Change& change : together) keys.push_back(change.key());
    prefetch(keys);
    for (const Change& change : together) redo(change);
    changes = changes.subspan(together.size());
  }
}

void ConfigTable::redo(const Change& change) {
  const auto* const place = index_.find(change.key());
  if (place && place->row->mod_revision() >= change.revision()) return;
  if (!change.is_put()) {
    if (place) erase(place->row);
    return;
  }
  lagging_.changed();
  if (place) {
    detach(place->row->lease(), change.key());
    replace(place->row, change);
  } else {
    insert(change);
  }
  attach(change.lease(), change.key());
}

void ConfigTable::insert(Change row) { index_.add(rows_.insert(rows_.end(), std::move(row))); }

ConfigTable::Table::const_iterator ConfigTable::erase(Table::const_iterator row, Revision at,
                                                      std::vector<Change>& changes) {
  changes.push_back(Change::deletion(row->key(), at));
  return erase(row);
}

ConfigTable::Table::const_iterator ConfigTable::erase(Table::const_iterator row) {
  lagging_.erased(*row);
  detach(row->lease(), row->key());
  index_.remove(row->key());
  return rows_.erase(row);
}

void ConfigTable::attach(LeaseId lease, std::string_view key) {
  if (lease) by_lease_[lease].emplace(key);
}

void ConfigTable::detach(LeaseId lease, std::string_view key) {
  if (!lease) return;
  const auto keys = by_lease_.find(lease);
  INVARIANT(keys != by_lease_.end(), "a key outlived the list of its lease");
  keys->second.erase(keys->second.find(key));
  if (keys->second.empty()) by_lease_.erase(keys);
}

}  // namespace holdfast::config
