#include "state/history.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::state {

namespace {

// A row costs a write of its own in the image, and a reader reads whole rows.
constexpr std::size_t kPackChanges = 512;
constexpr std::size_t kPackBytes = 256 * 1024;
// A step of trim() takes some tens of microseconds.
constexpr std::size_t kTrimStep = 1024;

std::size_t size_of(const config::Change& change) {
  return sizeof(config::Change) + 48 + change.key().size() + change.value().size();
}

}  // namespace

void History::append(config::Change change) {
  INVARIANT(changes_.empty() || changes_.back().revision() <= change.revision(),
            "a watcher would see changes out of order");
  fresh_bytes_ += size_of(change);
  changes_.push_back(std::move(change));
  drop(2);  // more than one, so that what is to be dropped shrinks
}

std::pair<std::deque<config::Change>::const_iterator, std::deque<config::Change>::const_iterator>
History::since(Revision from) const {
  INVARIANT(from >= first_in_memory_, "changes that are only in the image would be left out");
  const auto first =
      std::lower_bound(changes_.begin(), changes_.end(), from,
                       [](const config::Change& change, Revision at) { return change.revision() < at; });
  return {first, changes_.end()};
}

void History::start_at(Revision first) {
  INVARIANT(changes_.empty(), "a history begins once");
  first_in_memory_ = first;
}

void History::freeze() {
  INVARIANT(frozen_begin_ == frozen_end_, "changes of the last image would be lost");
  frozen_bytes_ += fresh_bytes_;
  fresh_bytes_ = 0;
  frozen_end_ = changes_.size();
}

std::vector<HistoryPack> History::take(std::size_t most_packs) {
  std::vector<HistoryPack> packs;
  while (packs.size() < most_packs && frozen_begin_ < frozen_end_) {
    std::vector<config::Change> taken;
    std::size_t bytes = 0;
    while (frozen_begin_ < frozen_end_) {
      const config::Change& next = changes_[frozen_begin_];
      const bool begins_revision = taken.empty() || taken.back().revision() != next.revision();
      if (begins_revision && (taken.size() >= kPackChanges || bytes >= kPackBytes)) break;
      bytes += size_of(next);
      taken.push_back(next);
      ++frozen_begin_;
    }
    const Revision first = taken.front().revision();
    const Revision last = taken.back().revision();
    packs.push_back({first, last, std::move(taken)});
  }
  return packs;
}

void History::image_durable(std::size_t keep_bytes) {
  INVARIANT(frozen_begin_ == frozen_end_, "an image without all its history became durable");
  durable_end_ = frozen_end_;
  durable_bytes_ += frozen_bytes_;
  frozen_bytes_ = 0;
  keep_bytes_ = keep_bytes;
}

bool History::trim() {
  drop(kTrimStep);
  return keeps_too_much();
}

void History::drop(std::size_t most) {
  for (; most > 0 && keeps_too_much(); --most) {
    const config::Change& oldest = changes_.front();
    // From here on the rest of its revision is in memory to no use.
    first_in_memory_ = oldest.revision().next();
    durable_bytes_ -= size_of(oldest);
    changes_.pop_front();
    --durable_end_;
    --frozen_begin_;
    --frozen_end_;
  }
}

}  // namespace holdfast::state
