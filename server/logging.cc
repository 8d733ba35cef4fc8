#include "server/logging.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <cstdio>

namespace holdfast::server {

namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// As a JSON string, with its quotes.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", byte);
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// A value that would not read as one word is quoted: a line stays a line.
std::string word(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '"' || c == '=') return json_string(text);
  }
  return text.empty() ? "\"\"" : std::string(text);
}

}  // namespace

std::string text_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  std::string line(name_of(level));
  line.append(" event=").append(event);
  for (const LogField& field : fields)
    line.append(" ").append(field.key).append("=").append(word(field.value));
  return line;
}

std::string json_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  std::string line = "\"level\":" + json_string(name_of(level));
  line.append(",\"message\":\"event=").append(event).append("\",\"event\":").append(json_string(event));
  for (const LogField& field : fields) {
    line.append(",").append(json_string(field.key)).append(":").append(json_string(field.value));
  }
  return line + "}";
}

Logging::Logging(LogLevel level, LogFormat format)
    : format_(format),
      logger_(
          std::make_shared<spdlog::logger>("holdfastd", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  const std::string time = "%Y-%m-%dT%H:%M:%S.%eZ";
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      format == LogFormat::kText ? time + " %v" : "{\"time\":\"" + time + "\",%v",
      spdlog::pattern_time_type::utc));
  logger_->set_level(to_spdlog(level));
  logger_->flush_on(spdlog::level::debug);
}

Logging::~Logging() = default;

void Logging::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const auto spdlog_level = to_spdlog(level);
  if (!logger_->should_log(spdlog_level)) return;
  logger_->log(spdlog_level,
               spdlog::string_view_t(format_ == LogFormat::kText ? text_line(level, event, fields)
                                                                 : json_line(level, event, fields)));
}

}  // namespace holdfast::server
