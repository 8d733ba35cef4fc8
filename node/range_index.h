#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/config_table.h"

namespace holdfast::node {

/// Which watchers want a key. Cost of a key: one look-up for exact keys, one for each length that a watched
/// prefix has, and one comparison for each range that is neither.
class RangeIndex {
 public:
  using Id = std::uint64_t;

  void add(const config::KeyRange& range, Id id);
  void remove(const config::KeyRange& range, Id id);
  /// In order of id within each kind.
  template <typename F>
  void for_each(std::string_view key, F&& wanted) const {
    if (auto found = keys_.find(key); found != keys_.end()) {
      for (Id id : found->second) wanted(id);
    }
    for (const auto& [length, prefixes] : prefixes_) {
      if (length > key.size()) break;
      auto found = prefixes.find(key.substr(0, length));
      if (found == prefixes.end()) continue;
      for (Id id : found->second) wanted(id);
    }
    for (const auto& [id, range] : ranges_) {
      if (range.contains(key)) wanted(id);
    }
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Ids = std::unordered_map<std::string, std::set<Id>, Hash, std::equal_to<>>;

  Ids keys_;
  std::map<std::size_t, Ids> prefixes_;  // by length
  std::map<Id, config::KeyRange> ranges_;
};

}  // namespace holdfast::node
