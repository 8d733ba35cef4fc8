#include "storage/space_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/file_names.h"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t kRoomToOpen = 4 << 20;

}  // namespace

SpaceWatch::SpaceWatch(SpaceOptions options)
    : options_(std::move(options)), ballast_(path_in(options_.directory, kBallastFile)) {
  const std::uint64_t total_bytes = options_.files->total_bytes(options_.directory);
  options_.threshold_bytes = std::min(options_.threshold_bytes, total_bytes / 10);
  options_.ballast_bytes = std::min(options_.ballast_bytes, total_bytes / 40);
  const std::vector<std::string> names = options_.files->list(options_.directory);
  has_ballast_ = std::find(names.begin(), names.end(), kBallastFile) != names.end();
}

Result<std::unique_ptr<SpaceWatch>> SpaceWatch::open(SpaceOptions options) {
  try {
    std::unique_ptr<SpaceWatch> watch(new SpaceWatch(std::move(options)));
    Files& files = *watch->options_.files;
    if (files.free_bytes(watch->options_.directory) < kRoomToOpen) watch->give_up_ballast();
    return watch;
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

void SpaceWatch::look() {
  if (reported_full_.exchange(false, std::memory_order_relaxed)) disk_is_full();
  const std::uint64_t free_bytes = options_.files->free_bytes(options_.directory);
  if (free_bytes < options_.threshold_bytes) {
    set(true, free_bytes);
  } else if (free_bytes >= options_.threshold_bytes + options_.threshold_bytes / 4) {
    lay_in_ballast(free_bytes);
    set(false, free_bytes);
  }
}

bool SpaceWatch::disk_is_full() {
  const bool gave_up = give_up_ballast();
  set(true, 0);
  return gave_up;
}

bool SpaceWatch::give_up_ballast() {
  if (!has_ballast_) return false;
  options_.files->remove(ballast_);
  has_ballast_ = false;
  return true;
}

void SpaceWatch::set(bool low, std::uint64_t free_bytes) {
  if (low == low_) return;
  low_ = low;
  if (!changed_) return;
  options_.post([changed = changed_, space = node::Space{low, free_bytes, options_.threshold_bytes}] {
    changed(space);
  });
}

/// Only where it leaves more than the threshold free: it must not be what makes space low.
void SpaceWatch::lay_in_ballast(std::uint64_t free_bytes) {
  if (has_ballast_ || options_.ballast_bytes == 0) return;
  if (free_bytes < options_.threshold_bytes + options_.threshold_bytes / 4 + options_.ballast_bytes) return;
  try {
    options_.files->create(ballast_)->reserve(options_.ballast_bytes);
    has_ballast_ = true;
  } catch (const DiskFull&) {
    options_.files->remove(ballast_);
  }
}

}  // namespace holdfast::storage
