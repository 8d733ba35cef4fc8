#include "tests/chaos/small_disk.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace holdfast::chaos {

namespace {

/// Whoever may not mount may do so as the root of a user namespace of his own, where the system has them.
bool become_own_root() {
  const uid_t user = getuid();
  const gid_t group = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  return getuid() == 0;
}

}  // namespace

bool take_own_mounts() {
  if (unshare(CLONE_NEWNS) != 0 && !become_own_root()) return false;
  // Nothing of it may show outside.
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool mount_small_disk(const std::string& directory, std::uint64_t bytes) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const std::string size = "size=" + std::to_string(bytes);
  return mount("holdfast-chaos", directory.c_str(), "tmpfs", 0, size.c_str()) == 0;
}

void unmount_small_disk(const std::string& directory) { umount2(directory.c_str(), MNT_DETACH); }

}  // namespace holdfast::chaos
