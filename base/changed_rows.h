#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace holdfast {

/// Remembers which rows of an ordered table changed, so that an image costs in proportion to what changed,
/// and lets the image take them a slice at a time while the table goes on changing.
///
///     changed --freeze()--> frozen --take()--> rows as they were at freeze()
///
/// Before a row changes, the table calls touch(key, its current value): if the row is still waiting in the
/// frozen set, the value of then is put aside first.
template <typename Key, typename Value>
class ChangedRows {
 public:
  using Table = std::map<Key, Value, std::less<>>;
  /// nullopt: the row did not exist at freeze().
  using Taken = std::pair<Key, std::optional<Value>>;

  /// Call before the row of `key` is inserted, changed or erased. `current` is null if there is none.
  void touch(const Key& key, const Value* current) {
    if (auto waiting = frozen_.find(key); waiting != frozen_.end()) {
      put_aside_.emplace_back(key, current ? std::optional<Value>(*current) : std::nullopt);
      frozen_.erase(waiting);
    }
    changed_.insert(key);
  }

  /// What changed up to now is to be taken; what changes from here on belongs to the next image.
  /// Requires: the last frozen set was taken whole.
  void freeze() { frozen_.swap(changed_); }

  /// Moves out at most `most` rows as they were at freeze(); an empty result means all were taken.
  std::vector<Taken> take(const Table& table, std::size_t most) {
    std::vector<Taken> rows;
    while (rows.size() < most && !put_aside_.empty()) {
      rows.push_back(std::move(put_aside_.back()));
      put_aside_.pop_back();
    }
    while (rows.size() < most && !frozen_.empty()) {
      auto node = frozen_.extract(frozen_.begin());
      auto found = table.find(node.value());
      rows.emplace_back(std::move(node.value()),
                        found == table.end() ? std::nullopt : std::optional<Value>(found->second));
    }
    return rows;
  }

  /// Rows that the next freeze() would hand over.
  std::size_t pending() const { return changed_.size(); }

 private:
  std::set<Key, std::less<>> changed_;
  std::set<Key, std::less<>> frozen_;
  std::vector<Taken> put_aside_;
};

}  // namespace holdfast
