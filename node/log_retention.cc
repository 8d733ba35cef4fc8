#include "node/log_retention.h"

#include <algorithm>

namespace holdfast::node {

void LogRetention::image_at(Index image) {
  if (image <= marks_.back().image) return;
  marks_.push_back({image, bytes_});
  while (marks_.size() > 1 && too_far(marks_[1])) marks_.pop_front();
}

void LogRetention::start_at(Index image) { marks_ = {{image, bytes_}}; }

Index LogRetention::through(Index held_by_all, std::optional<Index> served) const {
  const Index image = marks_.back().image;
  if (image.value() <= options_.entries_kept) return Index();
  const Index most(image.value() - options_.entries_kept);
  // The first image from which on what is kept fits.
  const Index least = too_far(marks_.front()) ? marks_[1].image : Index();
  Index through = std::min(most, std::max(held_by_all, least));
  if (served) through = std::min(through, *served);
  return through;
}

}  // namespace holdfast::node
