#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/logging.h"
#include "base/result.h"
#include "base/time.h"

/// What holdfastd is told: by its command line, else by HOLDFAST_* variables, else by a TOML file.
namespace holdfast::server {

enum class LogFormat { kText, kJson };

struct ClusterMember {
  std::string name;
  Endpoint peer;
  friend bool operator==(const ClusterMember&, const ClusterMember&) = default;
};

struct Options {
  std::optional<std::string> name;  ///< not given: the data directory's, at the first boot "n1"
  std::filesystem::path data_dir = "holdfast-data";
  Endpoint listen{"127.0.0.1", 2379};
  Endpoint peer_listen{"127.0.0.1", 2380};
  std::optional<Endpoint> advertise;       ///< not given: where it listens
  std::optional<Endpoint> peer_advertise;  ///< not given: its own entry in `cluster`, or where it listens
  std::vector<ClusterMember> cluster;      ///< read at the first boot only; empty: a cluster of itself
  std::optional<std::string> cluster_token;
  std::vector<Endpoint> join;  ///< client endpoints of a running cluster to come into; at the first boot only
  bool rejoin = false;         ///< as a new member, leaving the data of the removed one aside
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  milliseconds election_timeout{800};
  milliseconds heartbeat_interval{100};
  std::size_t max_connections = limits::kMaxConnections;  ///< of clients
  milliseconds handshake_timeout{10'000};  ///< for a client's first message, from when it connected
};

/// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Parsed {
  Options options;
  std::string print;  ///< if not empty: --help or --version was asked for, this is the answer
};

/// `arguments`: without the program's name.
/// Errors: kInvalidArgument naming the option, variable or the file's key, what is wrong and what to write.
Result<Parsed> parse_options(const std::vector<std::string>& arguments, const Environment& environment);

/// Reads "1500ms", "10s", "2m" or "1h". Errors: kInvalidArgument.
Result<milliseconds> parse_duration(const std::string& text);
/// Reads "n1=host:port,n2=host:port". Errors: kInvalidArgument.
Result<std::vector<ClusterMember>> parse_cluster(const std::string& text);

}  // namespace holdfast::server
