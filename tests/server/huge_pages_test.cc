#include "server/huge_pages.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "base/time.h"

namespace holdfast::server {
namespace {

constexpr std::size_t kHugePage = 2 << 20;
constexpr std::size_t kSize = 2 * HugePages::kLeastBytes;

/// Memory as an allocator has it, written to from end to end.
struct Memory {
  explicit Memory(std::size_t used) : used_bytes(used) { std::memset(begin, 'x', used); }
  ~Memory() { munmap(begin, kSize); }
  std::size_t used_bytes;
  char* begin =
      static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

  bool is_whole() const {
    for (std::size_t at = 0; at < used_bytes; at += 4096) {
      if (begin[at] != 'x') return false;
    }
    return true;
  }
  /// Of this mapping, KiB. Ref: proc(5), smaps
  std::size_t on_huge_pages() const {
    std::ifstream smaps("/proc/self/smaps");
    bool here = false;
    for (std::string line; std::getline(smaps, line);) {
      std::uintptr_t first = 0, end = 0;
      if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &end) == 2) {
        const auto address = reinterpret_cast<std::uintptr_t>(begin);
        here = first <= address && address < end;
      }
      if (here && line.starts_with("AnonHugePages:")) return std::stoul(line.substr(14));
    }
    return 0;
  }
};

/// Whether the kernel gives such pages on request, and only then.
bool gives_on_request() {
  char* const memory = static_cast<char*>(
      mmap(nullptr, 2 * kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char* const aligned = memory + (kHugePage - reinterpret_cast<std::uintptr_t>(memory) % kHugePage);
  std::memset(aligned, 'x', kHugePage);
  const bool gives = madvise(aligned, kHugePage, 25 /* MADV_COLLAPSE */) == 0;
  munmap(memory, 2 * kHugePage);
  return gives && Memory(4 * kHugePage).on_huge_pages() == 0;
}

/// Of this process.
std::ptrdiff_t threads() { return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}); }

TEST_CASE("the memory of a process that has grown large is moved to huge pages, and keeps what is in it") {
  if (!gives_on_request()) {
    WARN("this kernel does not give huge pages on request only");
    return;
  }
  Memory memory(kSize);
  HugePages huge_pages;
  huge_pages.look();
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (memory.on_huge_pages() == 0 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  CHECK(memory.on_huge_pages() > 0);
  CHECK(memory.is_whole());
}

TEST_CASE("whoever ends does not wait until all of it was moved") {
  Memory memory(kSize);
  const std::size_t before = memory.on_huge_pages();
  {
    HugePages huge_pages;
    huge_pages.look();
  }
  CHECK(memory.on_huge_pages() == before);  // it is begun after a pause only, and that is cut short
  CHECK(memory.is_whole());
}

TEST_CASE("nobody goes over the memory of a small process, nor again before it has grown") {
  const auto before = threads();
  HugePages huge_pages;
  huge_pages.look();
  CHECK(threads() == before);
  Memory memory(kSize);
  huge_pages.look();
  huge_pages.look();
  CHECK(threads() == before + 1);
}

}  // namespace
}  // namespace holdfast::server
