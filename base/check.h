#pragma once

namespace holdfast {

/// Ends the process after one line on stderr: a bug was found, and going on could break a promise.
[[noreturn]] void invariant_broken(const char* file, int line, const char* condition, const char* why);

}  // namespace holdfast

/// States what must hold whatever the input; on in every build. `why` says what would break.
#define INVARIANT(condition, why)                      \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::holdfast::invariant_broken(__FILE__, __LINE__, #condition, why))
