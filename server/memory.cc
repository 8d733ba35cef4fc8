#include "server/memory.h"

#include <mimalloc.h>

#include <cstddef>

// A program that does not link the allocator has neither.
extern "C" {
[[gnu::weak]] void mi_collect(bool force) noexcept;
[[gnu::weak]] void mi_option_set(mi_option_t option, long value);
[[gnu::weak]] mi_heap_t* mi_heap_new();
[[gnu::weak]] void* mi_heap_malloc(mi_heap_t* heap, std::size_t bytes) noexcept;
[[gnu::weak]] void mi_heap_destroy(mi_heap_t* heap);
}

namespace holdfast::server {

namespace {

// Milliseconds that free memory is kept, and that more of it coming free prolongs them by.
struct Keeping {
  long kept;
  long prolonged;
};

Keeping keeping_at(node::Load load) {
  switch (load) {
    case node::Load::kHeavy:
      return {25, 2};  // mimalloc's own
    case node::Load::kLight:
      return {1, 0};
    case node::Load::kNone:
      break;
  }
  return {0, 0};
}

/// Free memory that was not given back when it came free is only looked at again when what lies beside it
/// comes free. So all of it, up to a bound, is taken and let go again. Its blocks are the largest of those
/// that share a page, so that hardly any of it is touched.
void give_back() {
  constexpr std::size_t kBlockBytes = 8 << 10;
  constexpr std::size_t kMostBytes = 64 << 20;
  mi_collect(true);
  mi_heap_t* const heap = mi_heap_new();
  for (std::size_t taken = 0; taken < kMostBytes; taken += kBlockBytes) {
    if (mi_heap_malloc(heap, kBlockBytes) == nullptr) break;
  }
  mi_heap_destroy(heap);
}

}  // namespace

void manage_memory(node::Load load) {
  if (mi_collect == nullptr || mi_option_set == nullptr) return;
  const Keeping keeping = keeping_at(load);
  mi_option_set(mi_option_decommit_delay, keeping.kept);
  mi_option_set(mi_option_decommit_extend_delay, keeping.prolonged);
  if (load == node::Load::kNone) give_back();
}

}  // namespace holdfast::server
