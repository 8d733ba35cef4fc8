#include "cli/command.h"

#include <algorithm>
#include <cstdio>

namespace holdfast::cli {

using client::Errc;

client::Client Context::connect() const {
  client::Options settings;
  settings.endpoints = options.endpoints;
  settings.call_timeout = options.timeout;
  settings.connect_timeout = std::min<milliseconds>(options.timeout, std::chrono::seconds(1));
  settings.session_ttl = milliseconds(0);
  return client::Client(std::move(settings));
}

std::string Context::endpoints_text() const {
  std::string text;
  for (const std::string& endpoint : options.endpoints) text += (text.empty() ? "" : ",") + endpoint;
  return text;
}

void complain(const std::string& message) {
  const std::string line = "holdfast: " + message + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int fail(const client::Error& error) {
  const std::string message = error.message.empty() ? std::string(name_of(error.code)) : error.message;
  switch (error.code) {
    case Errc::kUnknown:
      complain(message + " (outcome unknown)");
      return kUnavailable;
    case Errc::kUnavailable:
    case Errc::kOverloaded:
    case Errc::kDiskFull:
    case Errc::kInternal:
      complain(message);
      return kUnavailable;
    default:
      complain(message);
      return kRefused;
  }
}

}  // namespace holdfast::cli
