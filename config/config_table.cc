#include "config/config_table.h"

#include <iterator>
#include <utility>

#include "base/canary.h"

namespace holdfast::config {

namespace {

Change put_change(std::string_view key, const Entry& entry) {
  return Change{ChangeType::kPut, std::string(key), entry};
}

Change delete_change(std::string key, Revision at) {
  Change change{ChangeType::kDelete, std::move(key), {}};
  change.entry.mod_revision = at;
  return change;
}

tl::unexpected<Error> mismatch(std::string_view key, Revision expected, Revision present) {
  const std::string name = "key \"" + std::string(key) + "\" ";
  const std::string found =
      present ? "is at revision " + std::to_string(present.value()) : std::string("does not exist");
  const std::string wanted = expected ? "revision " + std::to_string(expected.value()) + " was expected"
                                      : std::string("it was expected not to exist");
  return fail(Errc::kRevisionMismatch, name + found + ", but " + wanted + "; read it again and decide anew",
              present);
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
  const Revision present = place ? place->row->second.mod_revision : Revision();
  const bool ignored = HOLDFAST_CANARY(compare_and_swap_without_comparing);
  if (put.expected && *put.expected != present && !ignored) return mismatch(put.key, *put.expected, present);

  Table::iterator row;
  if (place) {
    row = place->row;
    changes_.touch(put.key, &row->second, place->mark);
  } else {
    ChangeMark mark = 0;
    changes_.touch(put.key, nullptr, mark);
    row = insert(put.key, Entry{}, mark);
    row->second.create_revision = at;
  }
  Entry& entry = row->second;
  if (entry.lease != put.lease) {
    detach(entry.lease, put.key);
    attach(put.lease, put.key);
  }
  entry.value = put.value;
  entry.mod_revision = at;
  ++entry.version;
  entry.lease = put.lease;
  changes.push_back(put_change(put.key, entry));
  return std::size_t{1};
}

Result<std::size_t> ConfigTable::remove(const Delete& remove, Revision at, std::vector<Change>& changes) {
  if (remove.expected) {
    if (!remove.range.is_one_key()) {
      return fail(Errc::kInvalidArgument, "an expected revision goes with one key, not with a range of keys");
    }
    const Entry* entry = find(remove.range.begin);
    const Revision present = entry ? entry->mod_revision : Revision();
    if (*remove.expected != present) return mismatch(remove.range.begin, *remove.expected, present);
  }
  auto [first, last] = range(remove.range);
  const std::size_t most = remove.most.value_or(entries_.size());
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

const Entry* ConfigTable::find(std::string_view key) const {
  const auto* place = index_.find(key);
  return place ? &place->row->second : nullptr;
}

std::pair<ConfigTable::Table::const_iterator, ConfigTable::Table::const_iterator> ConfigTable::range(
    const KeyRange& range) const {
  if (range.is_one_key()) {
    const auto* place = index_.find(range.begin);
    if (place) return {place->row, std::next(Table::const_iterator(place->row))};
    return {entries_.end(), entries_.end()};
  }
  if (!range.end.empty() && range.end <= range.begin) return {entries_.end(), entries_.end()};
  return {entries_.lower_bound(range.begin),
          range.end.empty() ? entries_.end() : entries_.lower_bound(range.end)};
}

std::size_t ConfigTable::count(const KeyRange& keys) const {
  const auto [first, last] = range(keys);
  return static_cast<std::size_t>(std::distance(first, last));
}

const std::set<std::string, std::less<>>* ConfigTable::attached_to(LeaseId lease) const {
  const auto found = by_lease_.find(lease);
  return found == by_lease_.end() ? nullptr : &found->second;
}

void ConfigTable::load(std::string key, Entry entry) {
  attach(entry.lease, key);
  if (const auto* place = index_.find(key)) {
    place->row->second = std::move(entry);
  } else {
    insert(std::move(key), std::move(entry), 0);
  }
}

ConfigTable::Table::iterator ConfigTable::insert(std::string key, Entry entry, ChangeMark mark) {
  const auto row = entries_.emplace_hint(entries_.end(), std::move(key), std::move(entry));
  index_.add(row, mark);
  return row;
}

ConfigTable::Table::const_iterator ConfigTable::erase(Table::const_iterator entry, Revision at,
                                                      std::vector<Change>& changes) {
  changes_.touch_erased(entry->first, entry->second);
  detach(entry->second.lease, entry->first);
  changes.push_back(delete_change(entry->first, at));
  index_.remove(entry->first);
  return entries_.erase(entry);
}

void ConfigTable::attach(LeaseId lease, const std::string& key) {
  if (lease) by_lease_[lease].insert(key);
}

void ConfigTable::detach(LeaseId lease, const std::string& key) {
  if (!lease) return;
  const auto keys = by_lease_.find(lease);
  INVARIANT(keys != by_lease_.end(), "a key outlived the list of its lease");
  keys->second.erase(key);
  if (keys->second.empty()) by_lease_.erase(keys);
}

}  // namespace holdfast::config
