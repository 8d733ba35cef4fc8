#include "server/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace holdfast::server {

namespace {

constexpr std::uintptr_t kHugePage = 2 << 20;
constexpr std::uintptr_t kLeastMapping = 16 << 20;    // the allocator's are larger, threads' stacks smaller
constexpr std::uintptr_t kMostMapping = 64ull << 30;  // the books of a sanitizer are larger
constexpr std::size_t kLeastUsed = 3;                 // of four pages
constexpr milliseconds kPause{10};
constexpr milliseconds kDelay{2000};  // after a start: other members may be starting on the same machine

struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

/// That belong to this process alone. Ref: proc(5), statm
std::size_t own_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0, shared = 0;
  statm >> size >> resident >> shared;
  return resident > shared ? (resident - shared) * page_bytes() : 0;
}

/// What an allocator has from the system: large, private, writable, without a file or a name. Ref: proc(5),
/// maps
std::vector<Mapping> allocated() {
  std::vector<Mapping> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    Mapping mapping;
    std::string access, offset, device, inode, name;
    char dash = 0;
    fields >> std::hex >> mapping.begin >> dash >> mapping.end >> access >> offset >> device >> inode >> name;
    const std::uintptr_t size = mapping.end - mapping.begin;
    if (access == "rw-p" && name.empty() && size >= kLeastMapping && size <= kMostMapping) {
      found.push_back(mapping);
    }
  }
  return found;
}

bool is_mostly_used(std::uintptr_t at) {
  std::array<unsigned char, kHugePage / 4096> pages{};
  const std::size_t count = kHugePage / page_bytes();
  if (mincore(reinterpret_cast<void*>(at), kHugePage, pages.data()) != 0) return false;
  const auto used = std::count_if(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(count),
                                  [](unsigned char page) { return (page & 1) != 0; });
  return static_cast<std::size_t>(used) * 4 >= count * kLeastUsed;
}

}  // namespace

HugePages::~HugePages() {
  {
    const std::lock_guard hold(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void HugePages::look() {
  const std::size_t bytes = own_bytes();
  if (bytes < seen_bytes_ + seen_bytes_ / 4) return;
  {
    const std::lock_guard hold(mutex_);
    if (running_) return;
    running_ = true;
  }
  seen_bytes_ = bytes;
  if (thread_.joinable()) thread_.join();  // it has ended, but for its last step
  thread_ = std::thread([this] { run(); });
}

void HugePages::run() {
  if (!pause(kDelay)) return;
  for (const Mapping& mapping : allocated()) {
    std::uintptr_t at = (mapping.begin + kHugePage - 1) / kHugePage * kHugePage;
    for (; at + kHugePage <= mapping.end; at += kHugePage) {
      // An error says that there is none to be had, or that the memory was given back meanwhile.
      if (!is_mostly_used(at) || madvise(reinterpret_cast<void*>(at), kHugePage, MADV_COLLAPSE) != 0)
        continue;
      if (!pause(kPause)) return;
    }
  }
  const std::lock_guard hold(mutex_);
  running_ = false;
}

bool HugePages::pause(milliseconds pause) {
  std::unique_lock hold(mutex_);
  return !wake_.wait_for(hold, pause, [this] { return ending_; });
}

}  // namespace holdfast::server
