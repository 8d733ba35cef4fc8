#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "holdfast/client.h"

namespace log_agent {

/// A key's value as it is and as it changes. Reading first and watching from the next revision on leaves no
/// gap: a change that comes in between is the watch's first event.
class FollowedKey {
 public:
  FollowedKey(holdfast::client::Client& client, std::string key) : client_(client), key_(std::move(key)) {}

  struct Value {
    std::optional<std::string> text;  ///< nothing: there is no such key
  };
  /// Waits for at most `limit`, longer only while the cluster is asked for the key itself. Returns: the
  /// value, if it was not known or has changed. Errors: those of get and watch; call again, it begins anew.
  holdfast::client::Result<std::optional<Value>> next(holdfast::client::milliseconds limit);

 private:
  holdfast::client::Result<std::optional<Value>> begin();

  holdfast::client::Client& client_;
  const std::string key_;
  std::optional<holdfast::client::Watch> watch_;
};

}  // namespace log_agent
