#pragma once

#include <memory>
#include <string>

#include "base/logging.h"
#include "server/options.h"

namespace spdlog {
class logger;
}

namespace holdfast::server {

/// Diagnostics on stderr, one line an event:
///
///     2026-01-01T00:00:00.000Z info event=ready name=n1 endpoint=127.0.0.1:2379
///     {"time":"2026-01-01T00:00:00.000Z","level":"info","message":"event=ready","event":"ready","name":"n1"}
class Logging final : public LogSink {
 public:
  Logging(LogLevel level, LogFormat format);
  ~Logging() override;

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override;

 private:
  const LogFormat format_;
  // Owners: this alone; spdlog hands out loggers so.
  std::shared_ptr<spdlog::logger> logger_;
};

/// A line's part behind the time.
std::string text_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);
/// What follows `{"time":"...",`.
std::string json_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

}  // namespace holdfast::server
