#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast {

/// Where something listens: a host name or address and a TCP port.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;

  /// "host:port"; an IPv6 address in brackets.
  std::string to_string() const;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// Reads "host:port", "1.2.3.4:port" or "[v6]:port".
/// Errors: kInvalidArgument naming the text and what is wrong with it.
Result<Endpoint> parse_endpoint(std::string_view text);

/// Reads a comma-separated list. Errors: as parse_endpoint, or an empty list.
Result<std::vector<Endpoint>> parse_endpoints(std::string_view text);

}  // namespace holdfast
