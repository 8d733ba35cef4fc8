#include "base/endpoint.h"

#include <charconv>

namespace holdfast {

std::string Endpoint::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(Errc::kInvalidArgument, "endpoint \"" + std::string(text) + "\" " + std::string(why) +
                                            "; write HOST:PORT, for example 127.0.0.1:2379");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong("is an IPv6 address without brackets");
  }
  if (host.empty()) return wrong("has no host");
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port > 65535) {
    return wrong("has a port that is not a number from 0 to 65535");
  }
  return Endpoint{std::string(host), static_cast<std::uint16_t>(port)};
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view text) {
  std::vector<Endpoint> endpoints;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    auto endpoint = parse_endpoint(text.substr(0, comma));
    if (!endpoint) return fail(endpoint.error());
    endpoints.push_back(*std::move(endpoint));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  if (endpoints.empty())
    return fail(Errc::kInvalidArgument, "the list of endpoints is empty; write HOST:PORT[,HOST:PORT...]");
  return endpoints;
}

}  // namespace holdfast
