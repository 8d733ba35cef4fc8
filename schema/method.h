#pragma once

#include <capnp/schema.h>

#include <cstdint>

namespace holdfast::schema {

/// The number of an interface's method, by the name it has in the schema: no number is written by hand, where
/// a changed schema could disagree with it. Looks the name up: keep what it returns. Throws if there is none.
template <typename Interface>
std::uint16_t method_number(kj::StringPtr name) {
  return static_cast<std::uint16_t>(capnp::Schema::from<Interface>().getMethodByName(name).getIndex());
}

}  // namespace holdfast::schema
