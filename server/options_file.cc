#include "server/options_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "server/option_values.h"

namespace holdfast::server {

namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

std::optional<std::string> to_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  std::vector<std::string> parts;
  if (const auto* array = node.as_array()) {
    for (const toml::node& element : *array) {
      if (!element.is_string()) return std::nullopt;
      parts.push_back(element.as_string()->get());
    }
    return joined(parts);
  }
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) {
      if (!value.is_string()) return std::nullopt;
      parts.push_back(std::string(key.str()) + "=" + value.as_string()->get());
    }
    return joined(parts);
  }
  return std::nullopt;
}

bool is_option(const std::string& name) {
  const auto& all = option_values();
  return std::any_of(all.begin(), all.end(), [&](const OptionValue& option) { return option.name == name; });
}

}  // namespace

Result<std::map<std::string, std::string>> read_options_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) {
    return fail(Errc::kInvalidArgument, "options file " + path + " cannot be read, or is empty");
  }
  std::map<std::string, std::string> options;
  try {
    const toml::table table = toml::parse(content.str(), path);
    for (const auto& [key, value] : table) {
      std::string name(key.str());
      std::replace(name.begin(), name.end(), '_', '-');
      if (!is_option(name)) {
        return fail(Errc::kInvalidArgument, "options file " + path + ": there is no option \"" +
                                                std::string(key.str()) + "\"; see holdfastd --help");
      }
      auto text = to_text(value);
      const bool is_list = value.is_array() || value.is_table();
      if (!text || (is_list && name != "cluster" && name != "join") ||
          (value.is_boolean() && name != "rejoin")) {
        return fail(Errc::kInvalidArgument,
                    "options file " + path + ": " + std::string(key.str()) + " is not a text in quotes");
      }
      options[name] = *std::move(text);
    }
  } catch (const toml::parse_error& error) {
    return fail(Errc::kInvalidArgument, "options file " + path + ", line " +
                                            std::to_string(error.source().begin.line) + ": " +
                                            std::string(error.description()));
  }
  return options;
}

}  // namespace holdfast::server
