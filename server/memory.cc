#include "server/memory.h"

#include <mimalloc.h>

// A program that does not link the allocator has none of these.
extern "C" {
[[gnu::weak]] void mi_collect(bool force) noexcept;
[[gnu::weak]] void mi_option_set(mi_option_t option, long value);
}

namespace holdfast::server {

void tune_memory() {
  // Free pages are given back when they come free. Put off, which is the default, they are given back when
  // another comes free near them: after a burst there is none.
  if (mi_option_set != nullptr) mi_option_set(mi_option_decommit_delay, 0);
}

void give_back_memory() {
  if (mi_collect != nullptr) mi_collect(true);
}

}  // namespace holdfast::server
