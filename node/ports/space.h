#pragma once

#include <cstdint>

namespace holdfast::node {

/// How much room the file system of the data directory has. Whoever watches it (storage, on the log's thread)
/// tells the node through the rim each time `low` changes; until told otherwise there is enough.
struct Space {
  /// Free bytes have fallen below the threshold, or a write has found the disk full. The node then leads no
  /// longer and takes no writes, and reads go on. Reset only when there is clearly more than the threshold.
  bool low = false;
  std::uint64_t free_bytes = 0;
  std::uint64_t threshold_bytes = 0;

  friend bool operator==(const Space&, const Space&) = default;
};

}  // namespace holdfast::node
