#pragma once

#include <cstddef>

namespace holdfast::server {

/// Lets this process open as many files and connections as the system allows it: shells and service managers
/// give fewer than that unless asked, for the sake of programs that nobody writes any more. Returns: how many
/// that are.
std::size_t raise_descriptor_limit();

/// How many connections clients may hold, of `wanted`: some descriptors are kept for the databases, for
/// images that are sent and received, and for other members. Returns: at least 1.
std::size_t client_connections(std::size_t wanted, std::size_t descriptors);

}  // namespace holdfast::server
