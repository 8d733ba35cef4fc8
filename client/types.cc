#include "holdfast/types.h"

#include <charconv>
#include <cstdio>

namespace holdfast::client {

std::string to_string(LeaseId lease) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(lease.value));
  return text;
}

std::optional<LeaseId> parse_lease(const std::string& text) {
  LeaseId lease;
  const char* end = text.data() + text.size();
  if (text.empty() || text.size() > 16) {
    return std::nullopt;
  }
  auto [stop, error] = std::from_chars(text.data(), end, lease.value, 16);
  if (error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return lease;
}

}  // namespace holdfast::client
