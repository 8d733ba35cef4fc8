#pragma once

#include <capnp/blob.h>

#include <string>
#include <string_view>

namespace holdfast::rpc {

/// Strings of the standard library as Cap'n Proto's, and back. The results of the first three borrow.
inline capnp::Text::Reader as_text(const std::string& text) {
  return capnp::Text::Reader(text.c_str(), text.size());
}
inline capnp::Data::Reader as_data(std::string_view bytes) {
  return capnp::Data::Reader(reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size());
}
inline std::string_view view_of(capnp::Data::Reader data) {
  return std::string_view(reinterpret_cast<const char*>(data.begin()), data.size());
}
inline std::string to_string(capnp::Data::Reader data) { return std::string(view_of(data)); }
inline std::string to_string(capnp::Text::Reader text) { return std::string(text.begin(), text.size()); }

}  // namespace holdfast::rpc
