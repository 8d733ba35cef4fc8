#include "server/option_values.h"

#include <charconv>
#include <set>
#include <string_view>

#include "base/member_name.h"

namespace holdfast::server {

namespace {

using Applied = Result<void>;

// Shorter than this, a busy machine's scheduling alone looks like silence.
constexpr milliseconds kLeast{10};

Applied apply_endpoint(const std::string& text, Endpoint& out) {
  auto endpoint = parse_endpoint(text);
  if (!endpoint) return fail(endpoint.error());
  out = *std::move(endpoint);
  return {};
}

Applied apply_optional_endpoint(const std::string& text, std::optional<Endpoint>& out) {
  if (auto applied = apply_endpoint(text, out.emplace()); !applied) return applied;
  if (out->port == 0) return fail(Errc::kInvalidArgument, "port 0 is no address that others can reach");
  return {};
}

Applied apply_duration(const std::string& text, milliseconds least, milliseconds& out) {
  const auto duration = parse_duration(text);
  if (!duration) return fail(duration.error());
  if (*duration < least) {
    return fail(Errc::kInvalidArgument,
                text + " is too short; at least " + std::to_string(least.count()) + "ms");
  }
  out = *duration;
  return {};
}

Applied apply_count(const std::string& text, std::size_t& out) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) {
    return fail(Errc::kInvalidArgument, "\"" + text + "\" is no number of at least 1");
  }
  out = number;
  return {};
}

Applied apply_level(const std::string& text, LogLevel& out) {
  if (text == "debug") return out = LogLevel::kDebug, Applied();
  if (text == "info") return out = LogLevel::kInfo, Applied();
  if (text == "warn") return out = LogLevel::kWarn, Applied();
  if (text == "error") return out = LogLevel::kError, Applied();
  return fail(Errc::kInvalidArgument, "\"" + text + "\" is no level; write debug, info, warn or error");
}

Applied apply_format(const std::string& text, LogFormat& out) {
  if (text == "text") return out = LogFormat::kText, Applied();
  if (text == "json") return out = LogFormat::kJson, Applied();
  return fail(Errc::kInvalidArgument, "\"" + text + "\" is no format; write text or json");
}

Applied apply_name(const std::string& text, Options& options) {
  if (auto good = check_member_name(text); !good) return good;
  options.name = text;
  return {};
}

Applied apply_data_dir(const std::string& text, Options& options) {
  if (text.empty()) return fail(Errc::kInvalidArgument, "the data directory has no name");
  options.data_dir = text;
  return {};
}

Applied apply_cluster(const std::string& text, Options& options) {
  auto cluster = parse_cluster(text);
  if (!cluster) return fail(cluster.error());
  options.cluster = *std::move(cluster);
  return {};
}

Applied apply_join(const std::string& text, Options& options) {
  auto endpoints = parse_endpoints(text);
  if (!endpoints) return fail(endpoints.error());
  options.join = *std::move(endpoints);
  return {};
}

Applied apply_switch(const std::string& text, bool& out) {
  if (text == "true" || text == "1") return out = true, Applied();
  if (text == "false" || text == "0") return out = false, Applied();
  return fail(Errc::kInvalidArgument, "\"" + text + "\" is neither true nor false");
}

std::vector<OptionValue> make_option_values() {
  return {
      {"name", "NAME", "Name of this member [n1]", apply_name},
      {"data-dir", "DIR", "Where it keeps its log and state [./holdfast-data]", apply_data_dir},
      {"listen", "HOST:PORT", "Where clients are accepted [127.0.0.1:2379]",
       [](const std::string& text, Options& options) { return apply_endpoint(text, options.listen); }},
      {"peer-listen", "HOST:PORT", "Where other members are accepted [127.0.0.1:2380]",
       [](const std::string& text, Options& options) { return apply_endpoint(text, options.peer_listen); }},
      {"advertise", "HOST:PORT", "Where clients reach it [as --listen]",
       [](const std::string& text, Options& options) {
         return apply_optional_endpoint(text, options.advertise);
       }},
      {"peer-advertise", "HOST:PORT", "Where other members reach it [its entry in --cluster]",
       [](const std::string& text, Options& options) {
         return apply_optional_endpoint(text, options.peer_advertise);
       }},
      {"cluster", "NAME=HOST:PORT,...",
       "All members with their peer addresses, this one too; read at the first boot only [itself]",
       apply_cluster},
      {"cluster-token", "TOKEN", "Tells this cluster from others; the same on all members [holdfast]",
       [](const std::string& text, Options& options) { return options.cluster_token = text, Applied(); }},
      {"join", "HOST:PORT,...",
       "Come into the running cluster whose clients use these; first: holdfast member add. At the first boot "
       "only",
       apply_join},
      {"rejoin", "",
       "With --join, for a member that was removed and added again: sets its old data directory aside",
       [](const std::string& text, Options& options) { return apply_switch(text, options.rejoin); }},
      {"election-timeout", "DURATION", "Without a leader for so long, it calls an election [800ms]",
       [](const std::string& text, Options& options) {
         return apply_duration(text, 2 * kLeast, options.election_timeout);
       }},
      {"heartbeat-interval", "DURATION", "How often a leader shows itself [100ms]",
       [](const std::string& text, Options& options) {
         return apply_duration(text, kLeast, options.heartbeat_interval);
       }},
      {"max-connections", "NUMBER",
       "Of clients at a time; fewer if the system gives fewer descriptors [10000]",
       [](const std::string& text, Options& options) { return apply_count(text, options.max_connections); }},
      {"handshake-timeout", "DURATION",
       "Within so long a client has to say something after it connected [10s]",
       [](const std::string& text, Options& options) {
         return apply_duration(text, kLeast, options.handshake_timeout);
       }},
      {"log-level", "LEVEL", "debug, info, warn or error [info]",
       [](const std::string& text, Options& options) { return apply_level(text, options.log_level); }},
      {"log-format", "FORMAT", "text or json [text]",
       [](const std::string& text, Options& options) { return apply_format(text, options.log_format); }},
  };
}

bool is_wildcard(const Endpoint& endpoint) { return endpoint.host == "0.0.0.0" || endpoint.host == "::"; }

}  // namespace

const std::vector<OptionValue>& option_values() {
  static const std::vector<OptionValue> values = make_option_values();
  return values;
}

Result<milliseconds> parse_duration(const std::string& text) {
  const auto wrong = [&] {
    return fail(
        Errc::kInvalidArgument,
        "\"" + text + "\" is no duration; write a number and a unit, for example 1500ms, 10s, 2m or 1h");
  };
  std::int64_t number = 0;
  const auto [unit_begin, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > 1'000'000'000) return wrong();
  const std::string_view unit(unit_begin, static_cast<std::size_t>(text.data() + text.size() - unit_begin));
  if (unit == "ms") return milliseconds(number);
  if (unit == "s") return milliseconds(std::chrono::seconds(number));
  if (unit == "m") return milliseconds(std::chrono::minutes(number));
  if (unit == "h") return milliseconds(std::chrono::hours(number));
  return wrong();
}

Result<std::vector<ClusterMember>> parse_cluster(const std::string& text) {
  std::vector<ClusterMember> members;
  std::set<std::string> names;
  std::set<Endpoint> addresses;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string entry(rest.substr(0, comma));
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) {
      return fail(Errc::kInvalidArgument,
                  "\"" + entry + "\" is no member; write NAME=HOST:PORT, several separated by commas");
    }
    ClusterMember member{entry.substr(0, equals), {}};
    if (auto good = check_member_name(member.name); !good) return fail(good.error());
    auto peer = parse_endpoint(entry.substr(equals + 1));
    if (!peer) return fail(peer.error());
    if (peer->port == 0) return fail(Errc::kInvalidArgument, "member \"" + member.name + "\" has port 0");
    member.peer = *std::move(peer);
    if (!names.insert(member.name).second) {
      return fail(Errc::kInvalidArgument, "member \"" + member.name + "\" is named twice");
    }
    if (!addresses.insert(member.peer).second) {
      return fail(Errc::kInvalidArgument, "two members have the address " + member.peer.to_string());
    }
    members.push_back(std::move(member));
    if (comma == std::string_view::npos) return members;
    rest = rest.substr(comma + 1);
  }
}

Result<void> check_together(const Options& options) {
  if (options.heartbeat_interval * 2 > options.election_timeout) {
    return fail(Errc::kInvalidArgument, "--heartbeat-interval " +
                                            std::to_string(options.heartbeat_interval.count()) +
                                            "ms must be at most half of --election-timeout " +
                                            std::to_string(options.election_timeout.count()) + "ms");
  }
  if (!options.join.empty() && !options.cluster.empty()) {
    return fail(Errc::kInvalidArgument,
                "--join comes into a running cluster and --cluster founds a new one; write one of them");
  }
  if (options.rejoin && options.join.empty()) {
    return fail(Errc::kInvalidArgument, "--rejoin needs --join HOST:PORT, a member of the cluster to ask");
  }
  if (is_wildcard(options.listen) && !options.advertise) {
    return fail(Errc::kInvalidArgument,
                "--listen " + options.listen.to_string() +
                    " takes clients on every address; say with --advertise HOST:PORT which "
                    "one they are to use");
  }
  return {};
}

}  // namespace holdfast::server
