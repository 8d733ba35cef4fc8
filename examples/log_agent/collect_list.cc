#include "examples/log_agent/collect_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace log_agent {

tl::expected<std::vector<Collected>, std::string> parse_collect_list(std::string_view document) {
  const auto json = nlohmann::json::parse(document, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return tl::unexpected<std::string>("it is not JSON");
  if (!json.is_array()) return tl::unexpected<std::string>("it is not a list");
  std::vector<Collected> list;
  for (const auto& item : json) {
    const auto text = [&item](const char* name) {
      const bool is_there = item.is_object() && item.contains(name) && item.at(name).is_string();
      return is_there ? item.at(name).get<std::string>() : std::string();
    };
    Collected collected{text("path"), text("topic")};
    if (collected.path.empty() || collected.topic.empty()) {
      return tl::unexpected("its item " + item.dump() + " has no \"path\" or no \"topic\"");
    }
    list.push_back(std::move(collected));
  }
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

}  // namespace log_agent
