#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace log_agent {

/// One file to collect, and the topic its lines belong to.
struct Collected {
  std::string path;
  std::string topic;
  friend auto operator<=>(const Collected&, const Collected&) = default;
};

/// Reads the document behind /logagent/<ip>/collect, a JSON list: [{"path": "/var/log/app.log", "topic":
/// "app"}, ...] Returns: the list, sorted, each entry once; or what is wrong with the document.
tl::expected<std::vector<Collected>, std::string> parse_collect_list(std::string_view document);

}  // namespace log_agent
