#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace holdfast {

void invariant_broken(const char* file, int line, const char* condition, const char* why) {
  std::fprintf(stderr, "%s:%d: INVARIANT(%s) failed: %s\n", file, line, condition, why);
  std::fflush(stderr);
  std::abort();
}

}  // namespace holdfast
