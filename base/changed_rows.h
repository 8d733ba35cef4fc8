#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace holdfast {

/// Remembers which rows of an ordered table changed, so that an image costs in proportion to what changed,
/// and lets the image take them a slice at a time while the table goes on changing.
///
///     changed --freeze()--> frozen --take()--> rows as they were at freeze()
///
/// Before a row is inserted or changed, the table calls touch(key, its current value), before it is erased
/// touch_erased(): if the row is still waiting in the frozen set, the value of then is put aside first. A row
/// that comes and goes between two freezes leaves no trace.
template <typename Key, typename Value>
class ChangedRows {
 public:
  using Table = std::map<Key, Value, std::less<>>;
  /// nullopt: the row did not exist at freeze().
  using Taken = std::pair<Key, std::optional<Value>>;

  /// Call before the row of `key` is inserted or changed. `current` is null if there is none.
  void touch(const Key& key, const Value* current) {
    put_aside_if_frozen(key, current);
    changed_.try_emplace(key, current != nullptr);
  }
  /// Call before the row of `key` is erased.
  void touch_erased(const Key& key, const Value& current) {
    put_aside_if_frozen(key, &current);
    const auto [row, first] = changed_.try_emplace(key, true);
    if (!first && !row->second) changed_.erase(row);
  }

  /// What changed up to now is to be taken; what changes from here on belongs to the next image.
  /// Requires: the last frozen set was taken whole.
  void freeze() {
    INVARIANT(frozen_.empty() && put_aside_.empty(), "rows of the last image would be lost");
    frozen_.swap(changed_);
  }

  /// Moves out at most `most` rows as they were at freeze(); an empty result means all were taken.
  std::vector<Taken> take(const Table& table, std::size_t most) {
    return take_found(
        [&table](const Key& key) {
          const auto found = table.find(key);
          return found == table.end() ? nullptr : &found->second;
        },
        most);
  }
  /// As take(), for rows that are not kept in one map: `find(key)` gives a pointer to the row, or null.
  template <typename Find>
  std::vector<Taken> take_found(const Find& find, std::size_t most) {
    std::vector<Taken> rows;
    while (rows.size() < most && !put_aside_.empty()) {
      rows.push_back(std::move(put_aside_.back()));
      put_aside_.pop_back();
    }
    while (rows.size() < most && !frozen_.empty()) {
      auto node = frozen_.extract(frozen_.begin());
      const Value* row = find(node.key());
      rows.emplace_back(std::move(node.key()), row ? std::optional<Value>(*row) : std::nullopt);
    }
    return rows;
  }

  /// Rows that the next freeze() would hand over.
  std::size_t pending() const { return changed_.size(); }

 private:
  void put_aside_if_frozen(const Key& key, const Value* current) {
    if (frozen_.empty()) return;
    const auto waiting = frozen_.find(key);
    if (waiting == frozen_.end()) return;
    put_aside_.emplace_back(key, current ? std::optional<Value>(*current) : std::nullopt);
    frozen_.erase(waiting);
  }

  // Keyed by row; true if the row existed when the set began, so that its end must reach the image.
  using Changed = std::map<Key, bool, std::less<>>;
  Changed changed_;
  Changed frozen_;
  std::vector<Taken> put_aside_;
};

}  // namespace holdfast
