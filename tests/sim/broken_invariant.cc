#include "tests/sim/broken_invariant.h"

#include <string>

#include "base/check.h"

namespace holdfast {

// Takes the place of base/check.cc.
void invariant_broken(const char* file, int line, const char* condition, const char* why) {
  throw sim::BrokenInvariant(std::string(file) + ":" + std::to_string(line) + ": INVARIANT(" + condition +
                             ") failed: " + why);
}

}  // namespace holdfast
