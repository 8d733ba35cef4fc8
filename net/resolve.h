#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <string>

#include "base/endpoint.h"
#include "base/result.h"

namespace holdfast::net {

/// What went wrong, as the end of a sentence: "connection refused".
std::string reason_of(const asio::error_code& error);

/// The address to listen on; a name is looked up at once, which may block: only for the start of a process.
/// Errors: kInvalidArgument, the end of a sentence.
Result<asio::ip::tcp::endpoint> resolve_to_listen(asio::io_context& io, const Endpoint& endpoint);

}  // namespace holdfast::net
