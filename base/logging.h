#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace holdfast {

/// error: somebody must act. warn: somebody should look. info: role, membership, lifecycle. debug: per
/// request.
enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// One `key=value` of a diagnostic line.
struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(text) {}
  LogField(std::string_view name, std::integral auto number) : key(name), value(std::to_string(number)) {}
  template <typename Tag>
  LogField(std::string_view name, StrongId<Tag> id) : key(name), value(std::to_string(id.value())) {}

  std::string_view key;
  std::string value;
};

/// Where diagnostics go. One line an event: `event=name key=value ...`. Pure code does not log.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Thread: any.
  virtual void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) = 0;
};

/// Drops everything.
class NullLogSink final : public LogSink {
 public:
  void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace holdfast
