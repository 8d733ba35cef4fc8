#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace holdfast::server {

/// Moves the memory of a large state to pages of 2 MiB. Every call looks at a few places of it that nobody
/// has looked at for long, and with pages of 4 KiB the processor then has to look up where each of them is,
/// too. The kernel gives such pages on request only, would take minutes to notice by itself, and is slow to
/// hand them out while a start waits for memory; so a thread of its own asks for them afterwards, one at a
/// time with a pause behind each, as whoever needs memory meanwhile waits for some milliseconds. What is not
/// mostly in use stays as it is, and so does a small state: it would take more memory. Ref: madvise(2),
/// MADV_COLLAPSE (Linux 6.1); docs/decisions/0036-huge-pages.md. Thread: one.
class HugePages {
 public:
  /// Memory of the process below which nothing is done: bytes.
  static constexpr std::size_t kLeastBytes = 128 << 20;

  HugePages() = default;
  ~HugePages();
  HugePages(const HugePages&) = delete;
  HugePages& operator=(const HugePages&) = delete;

  /// If the process has grown by a quarter since the last time, goes over its memory. Costs two system calls
  /// otherwise.
  void look();

 private:
  void run();
  /// Returns: false if the thread is to end.
  bool pause(milliseconds pause);

  std::size_t seen_bytes_ = kLeastBytes * 4 / 5;
  std::thread thread_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool running_ = false;
  bool ending_ = false;
};

}  // namespace holdfast::server
