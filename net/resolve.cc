#include "net/resolve.h"

#include <asio/ip/address.hpp>
#include <cctype>

namespace holdfast::net {

std::string reason_of(const asio::error_code& error) {
  std::string text = error.message();
  if (!text.empty()) {
    text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  }
  return text;
}

Result<asio::ip::tcp::endpoint> resolve_to_listen(asio::io_context& io, const Endpoint& endpoint) {
  asio::error_code error;
  const auto address = asio::ip::make_address(endpoint.host, error);
  if (!error) {
    return asio::ip::tcp::endpoint(address, endpoint.port);
  }
  asio::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(asio::ip::tcp::v4(), endpoint.host, std::to_string(endpoint.port),
                                      asio::ip::resolver_base::passive, error);
  if (error || found.empty()) {
    return fail(Errc::kInvalidArgument,
                "the name '" + endpoint.host + "' has no address: " + reason_of(error));
  }
  return found.begin()->endpoint();
}

}  // namespace holdfast::net
