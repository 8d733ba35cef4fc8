#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace microservice {

/// Sends one line and waits, at most a second for each step, for the line that answers it. Returns: nothing
/// if nobody answered.
std::optional<std::string> call_line(const std::string& host, std::uint16_t port, const std::string& line);

}  // namespace microservice
