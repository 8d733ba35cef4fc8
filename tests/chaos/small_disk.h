#pragma once

#include <cstdint>
#include <string>

namespace holdfast::chaos {

/// Gives this process, and those it starts, a view of the mounted disks of their own: what is mounted in it
/// is gone when they are, however they end. Requires: no threads yet. Returns: false if the system does not
/// allow it.
bool take_own_mounts();
/// Mounts an empty disk of that size at a directory, which is made. Requires: take_own_mounts().
/// Returns: false if the system does not allow it.
bool mount_small_disk(const std::string& directory, std::uint64_t bytes);
/// Takes the disk away again, with all that is on it, so that the directory can be removed.
void unmount_small_disk(const std::string& directory);

}  // namespace holdfast::chaos
