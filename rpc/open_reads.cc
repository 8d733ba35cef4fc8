#include "rpc/open_reads.h"

#include <algorithm>

namespace holdfast::rpc {

void OpenReads::keep(Revision revision, std::string after, std::string end, Entries rest) {
  std::size_t bytes = 0;
  for (const config::Change& row : rest) bytes += row.key().size() + row.value().size();
  if (rest.size() > bounds_.entries_of_one || bytes > bounds_.bytes) return;
  // Two readers of the same range at the same revision share one; the larger serves both.
  auto same = std::find_if(reads_.begin(), reads_.end(),
                           [&](const Read& read) { return read.revision == revision && read.end == end; });
  if (same != reads_.end() && same->entries.size() >= rest.size()) {
    same->used = timer_.now();
    reads_.splice(reads_.end(), reads_, same);
    return;
  }
  entries_ += rest.size();
  bytes_ += bytes;
  reads_.push_back(Read{revision, std::move(after), std::move(end), std::move(rest), bytes, timer_.now()});
  while (reads_.size() > bounds_.reads || entries_ > bounds_.entries || bytes_ > bounds_.bytes) drop_first();
  arm();
}

bool OpenReads::find(Revision revision, const config::KeyRange& range, Rest& rest) {
  for (auto read = reads_.begin(); read != reads_.end(); ++read) {
    if (read->revision != revision || read->end != range.end || range.begin <= read->after) continue;
    rest.first =
        std::lower_bound(read->entries.begin(), read->entries.end(), range.begin,
                         [](const config::Change& row, const std::string& key) { return row.key() < key; });
    rest.last = read->entries.end();
    read->used = timer_.now();
    reads_.splice(reads_.end(), reads_, read);
    return true;
  }
  return false;
}

void OpenReads::finish(Revision revision, const std::string& end) {
  // Another reader may be in the middle of it: it is only the first to go now.
  for (auto read = reads_.begin(); read != reads_.end(); ++read) {
    if (read->revision != revision || read->end != end) continue;
    reads_.splice(reads_.begin(), reads_, read);
    return;
  }
}

void OpenReads::drop_first() {
  entries_ -= reads_.front().entries.size();
  bytes_ -= reads_.front().bytes;
  reads_.pop_front();
}

void OpenReads::arm() {
  if (armed_) return;
  armed_ = true;
  expiry_ = expire().eagerlyEvaluate(nullptr);
}

kj::Promise<void> OpenReads::expire() {
  return timer_.afterDelay(bounds_.idle).then([this]() -> kj::Promise<void> {
    const auto idle_since = timer_.now() - bounds_.idle;
    for (auto read = reads_.begin(); read != reads_.end();) {
      auto next = std::next(read);
      if (read->used <= idle_since) {
        reads_.splice(reads_.begin(), reads_, read);
        drop_first();
      }
      read = next;
    }
    if (!reads_.empty()) return expire();
    armed_ = false;
    return kj::READY_NOW;
  });
}

}  // namespace holdfast::rpc
