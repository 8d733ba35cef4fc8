#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/random.h"
#include "base/time.h"

/// When the next image is due: pure.
///
/// What an image costs is mostly the pages that it changes, and in a large state every change is on a page of
/// its own, until there are many of them. (The configuration does not count: its rows may lag behind the
/// image, docs/decisions/0035-rows-that-lag.md.) So an image of a large state waits, while changes go on
/// coming, until they are in proportion to it: to replay them after a crash then takes less than to load the
/// state, and a page carries several of them. Ref: docs/decisions/0032-images-of-large-states.md
///
/// How much is enough is drawn anew for each image. All members apply the same commands, and would else write
/// their images at the same moments, when a quorum's logs wait for the disk; apart, there is a quorum that
/// does not. Ref: docs/decisions/0034-images-out-of-the-way.md
namespace holdfast::node {

class ImagePace {
 public:
  struct Options {
    Duration interval;           ///< between two images of a state that is not large
    std::size_t after_bytes;     ///< of commands since the last image, more or less: then it is due at once
    std::size_t spread_percent;  ///< how much more or less, at most: drawn from `seed`
    std::uint64_t seed;
  };
  /// A state is large if this, times its rows, is above `after_bytes`; then it is what `after_bytes` was.
  static constexpr std::size_t kBytesPerRow = 64;
  /// Intervals after which an image is due whatever comes.
  static constexpr int kMostIntervals = 6;

  ImagePace(Options options, Instant now) : options_(options), random_(options.seed) {
    begun(now);
    frozen();
  }

  /// A command of that size was applied to a state of so many rows.
  void applied(std::size_t bytes, std::size_t rows, Instant now);
  /// Returns: whether an image is to begin now. If not, due() tells when to ask again.
  bool begins(std::size_t rows, Instant now);
  /// One begins.
  void begun(Instant now);
  /// What is applied from now on is for the next one.
  void frozen();
  /// Enough was applied since the last image to make one of a state that is not large due.
  bool is_heavy() const { return bytes_ >= drawn(options_.after_bytes); }
  Instant due() const { return due_; }

 private:
  bool is_large(std::size_t rows) const { return rows * kBytesPerRow > options_.after_bytes; }
  std::size_t enough(std::size_t rows) const {
    return drawn(std::max(options_.after_bytes, rows * kBytesPerRow));
  }
  std::size_t drawn(std::size_t bytes) const { return bytes * drawn_percent_ / 100; }

  const Options options_;
  Random random_;
  Instant due_;
  Instant latest_;
  std::size_t drawn_percent_ = 100;  // of what is enough on average
  std::size_t bytes_ = 0;            // of commands that the next image covers
  std::size_t seen_ = 0;             // of them, when it was last put off
};

}  // namespace holdfast::node
