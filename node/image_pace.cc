#include "node/image_pace.h"

namespace holdfast::node {

void ImagePace::applied(std::size_t bytes, std::size_t rows, Instant now) {
  bytes_ += bytes;
  if (bytes_ >= enough(rows)) due_ = now;
}

bool ImagePace::begins(std::size_t rows, Instant now) {
  if (now < due_) return false;
  const bool goes_on = bytes_ > seen_ && bytes_ < enough(rows);
  if (!is_large(rows) || !goes_on || now >= latest_) return true;
  seen_ = bytes_;
  due_ = std::min(now + options_.interval, latest_);
  return false;
}

void ImagePace::begun(Instant now) {
  due_ = now + options_.interval;
  latest_ = now + kMostIntervals * options_.interval;
}

void ImagePace::frozen() {
  bytes_ = seen_ = 0;
  drawn_percent_ = random_.between(100 - options_.spread_percent, 100 + options_.spread_percent);
}

}  // namespace holdfast::node
