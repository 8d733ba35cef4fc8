#include <string>

#include "tests/fuzz/door_under_fire.h"
#include "tests/fuzz/targets.h"

namespace holdfast::fuzz {

namespace {

/// Kept from one input to the next, as a server meets one connection after the other.
DoorUnderFire& door() {
  static auto* const standing = new DoorUnderFire();
  return *standing;
}

}  // namespace

void rpc_stream(std::string_view bytes) { door().take(bytes); }

std::vector<std::string> rpc_stream_seeds() { return door().record_calls(); }

}  // namespace holdfast::fuzz
