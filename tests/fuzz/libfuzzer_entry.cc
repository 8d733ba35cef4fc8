#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/targets.h"

/// One target behind the name that libFuzzer calls; HOLDFAST_FUZZ_TARGET says which.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::fuzz::HOLDFAST_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
