#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/types.h"

/// How the words of a command line are read. What is wrong ends the reading with a CLI::ValidationError that
/// names the option, the text and what would be right.
namespace holdfast::cli {

using std::chrono::milliseconds;

/// Reads "1500ms", "10s", "2m", "1h". Returns: nullopt for anything else, a missing unit above all.
std::optional<milliseconds> parse_duration(std::string_view text);
/// As short as it can be said exactly: "1500ms", "10s", "2m".
std::string to_text(milliseconds duration);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
/// Reads "host:port" or "[v6]:port"; the port is not 0. Returns: nullopt for anything else.
std::optional<HostPort> parse_host_port(std::string_view text);

enum class Zero { kAllowed, kRefused };
CLI::Option* add_duration(CLI::App& app, const std::string& name, milliseconds& target, Zero zero,
                          const std::string& description);
CLI::Option* add_duration(CLI::App& app, const std::string& name, std::optional<milliseconds>& target,
                          Zero zero, const std::string& description);
/// A whole number; a sign is refused (CLI11 would let -1 wrap around).
CLI::Option* add_number(CLI::App& app, const std::string& name, std::uint64_t& target,
                        const std::string& description);
CLI::Option* add_number(CLI::App& app, const std::string& name, std::optional<std::uint64_t>& target,
                        const std::string& description);
CLI::Option* add_lease_id(CLI::App& app, const std::string& name, client::LeaseId& target,
                          const std::string& description);
CLI::Option* add_host_port(CLI::App& app, const std::string& name, HostPort& target,
                           const std::string& description);
/// A comma-separated list of addresses.
CLI::Option* add_endpoints(CLI::App& app, const std::string& name, std::vector<std::string>& target,
                           const std::string& description);
/// May be given several times, each with one value.
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& target,
                      const std::string& description);
/// K=V, several times.
CLI::Option* add_pairs(CLI::App& app, const std::string& name, std::map<std::string, std::string>& target,
                       const std::string& description);

}  // namespace holdfast::cli
