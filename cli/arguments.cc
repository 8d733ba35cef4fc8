#include "cli/arguments.h"

#include <charconv>
#include <limits>
#include <utility>

namespace holdfast::cli {

namespace {

constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}};

[[noreturn]] void refuse(const std::string& name, const std::string& text, const std::string& expected) {
  throw CLI::ValidationError(name, "'" + text + "' is not " + expected);
}

milliseconds read_duration(const std::string& name, const std::string& text, Zero zero) {
  const auto duration = parse_duration(text);
  if (!duration) refuse(name, text, "a duration with its unit, such as 1500ms, 10s or 2m");
  if (zero == Zero::kRefused && duration->count() == 0) refuse(name, text, "a duration above zero");
  return *duration;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

std::uint64_t read_number(const std::string& name, const std::string& text) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size()) refuse(name, text, "a whole number");
  return number;
}

/// An option whose one word `read(name, text)` turns into the target.
template <typename Target, typename Read>
CLI::Option* add_read(CLI::App& app, const std::string& name, Target& target, const std::string& description,
                      const char* type, Read read) {
  return app
      .add_option_function<std::string>(
          name, [&target, name, read](const std::string& text) { target = read(name, text); }, description)
      ->type_name(type);
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(rest - text.data()));
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    if (count > std::numeric_limits<std::int64_t>::max() / 1'000'000 / factor) return std::nullopt;
    return milliseconds(count * factor);
  }
  return std::nullopt;
}

std::string to_text(milliseconds duration) {
  const std::int64_t count = duration.count();
  for (const auto& [name, factor] : {kUnits[3], kUnits[2], kUnits[1]}) {
    if (count != 0 && count % factor == 0) return std::to_string(count / factor) + std::string(name);
  }
  return std::to_string(count) + "ms";
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.empty() || host.find_first_of(":[] ") != std::string_view::npos) {
    return std::nullopt;
  }
  HostPort result{std::string(host), 0};
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (error != std::errc() || rest != digits.data() + digits.size() || result.port == 0) return std::nullopt;
  return result;
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, milliseconds& target, Zero zero,
                          const std::string& description) {
  return add_read(
      app, name, target, description, "DURATION",
      [zero](const std::string& at, const std::string& text) { return read_duration(at, text, zero); });
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, std::optional<milliseconds>& target,
                          Zero zero, const std::string& description) {
  return add_read(
      app, name, target, description, "DURATION",
      [zero](const std::string& at, const std::string& text) { return read_duration(at, text, zero); });
}

CLI::Option* add_number(CLI::App& app, const std::string& name, std::uint64_t& target,
                        const std::string& description) {
  return add_read(app, name, target, description, "NUMBER", read_number);
}

CLI::Option* add_number(CLI::App& app, const std::string& name, std::optional<std::uint64_t>& target,
                        const std::string& description) {
  return add_read(app, name, target, description, "NUMBER", read_number);
}

CLI::Option* add_lease_id(CLI::App& app, const std::string& name, client::LeaseId& target,
                          const std::string& description) {
  return add_read(app, name, target, description, "LEASE",
                  [](const std::string& at, const std::string& text) {
                    const auto lease = client::parse_lease(text);
                    if (!lease || !*lease) refuse(at, text, "a lease's id, which is 16 hexadecimal digits");
                    return *lease;
                  });
}

CLI::Option* add_host_port(CLI::App& app, const std::string& name, HostPort& target,
                           const std::string& description) {
  return add_read(app, name, target, description, "HOST:PORT",
                  [](const std::string& at, const std::string& text) {
                    auto address = parse_host_port(text);
                    if (!address) refuse(at, text, "HOST:PORT");
                    return *address;
                  });
}

CLI::Option* add_endpoints(CLI::App& app, const std::string& name, std::vector<std::string>& target,
                           const std::string& description) {
  return add_read(app, name, target, description, "HOST:PORT,...",
                  [](const std::string& at, const std::string& text) {
                    std::vector<std::string> endpoints = split(text, ',');
                    for (const std::string& endpoint : endpoints) {
                      if (!parse_host_port(endpoint)) refuse(at, endpoint, "HOST:PORT");
                    }
                    return endpoints;
                  });
}

CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& target,
                      const std::string& description) {
  return app.add_option(name, target, description)->allow_extra_args(false)->type_name("TEXT");
}

CLI::Option* add_pairs(CLI::App& app, const std::string& name, std::map<std::string, std::string>& target,
                       const std::string& description) {
  return app
      .add_option_function<std::vector<std::string>>(
          name,
          [&target, name](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              const std::size_t equals = text.find('=');
              if (equals == std::string::npos || equals == 0) refuse(name, text, "KEY=VALUE");
              target[text.substr(0, equals)] = text.substr(equals + 1);
            }
          },
          description)
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

}  // namespace holdfast::cli
