#pragma once

#include <kj/time.h>

#include "base/time.h"

namespace holdfast::sdk {

/// A monotonic clock that goes on while the process is stopped and while the machine sleeps (CLOCK_BOOTTIME):
/// what a lease's holder must count by. Thread: any.
Instant now();

/// From `from` until `until` for a timer of the loop; zero if that is over.
kj::Duration delay(Instant from, Instant until);
kj::Duration delay(Duration duration);

}  // namespace holdfast::sdk
