#include "node/range_index.h"

namespace holdfast::node {

namespace {

bool is_prefix(const config::KeyRange& range) { return range == config::KeyRange::prefix(range.begin); }

template <typename Ids>
void remove_from(Ids& ids, const std::string& key, RangeIndex::Id id) {
  auto found = ids.find(key);
  if (found == ids.end()) return;
  found->second.erase(id);
  if (found->second.empty()) ids.erase(found);
}

}  // namespace

void RangeIndex::add(const config::KeyRange& range, Id id) {
  if (range.is_one_key()) {
    keys_[range.begin].insert(id);
  } else if (is_prefix(range)) {
    prefixes_[range.begin.size()][range.begin].insert(id);
  } else {
    ranges_.emplace(id, range);
  }
}

void RangeIndex::remove(const config::KeyRange& range, Id id) {
  if (range.is_one_key()) {
    remove_from(keys_, range.begin, id);
  } else if (is_prefix(range)) {
    auto prefixes = prefixes_.find(range.begin.size());
    if (prefixes == prefixes_.end()) return;
    remove_from(prefixes->second, range.begin, id);
    if (prefixes->second.empty()) prefixes_.erase(prefixes);
  } else {
    ranges_.erase(id);
  }
}

}  // namespace holdfast::node
