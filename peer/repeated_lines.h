#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"

namespace holdfast::peer {

/// Lets one of many equal lines of logging through every so often: what goes wrong with a peer goes wrong
/// again a second later, and a stranger must not fill the disk.
class RepeatedLines {
 public:
  RepeatedLines(Duration interval, std::size_t most_keys) : interval_(interval), most_keys_(most_keys) {}

  /// Returns: how many lines of this key were held back since the last one; nullopt if this one is, too.
  std::optional<std::uint64_t> pass(const std::string& key, Instant now) {
    if (lines_.size() >= most_keys_ && !lines_.contains(key)) {
      forget_old(now);
      if (lines_.size() >= most_keys_) {
        return std::nullopt;
      }
    }
    auto [line, fresh] = lines_.try_emplace(key, Line{now, 0});
    if (!fresh && now - line->second.last < interval_) {
      ++line->second.held_back;
      return std::nullopt;
    }
    const std::uint64_t held_back = line->second.held_back;
    line->second = Line{now, 0};
    return held_back;
  }

 private:
  struct Line {
    Instant last;
    std::uint64_t held_back = 0;
  };

  void forget_old(Instant now) {
    std::erase_if(lines_, [&](const auto& line) { return now - line.second.last >= interval_; });
  }

  const Duration interval_;
  const std::size_t most_keys_;
  std::map<std::string, Line> lines_;
};

}  // namespace holdfast::peer
